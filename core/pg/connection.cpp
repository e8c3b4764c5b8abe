#include "core/pg/connection.h"

#include <poll.h>

#include <cstdlib>
#include <future>
#include <thread>

#include "core/log/log.h"

namespace skytools::pg {

namespace {

constexpr milliseconds kSignOfLife(5000);  ///< between two calls of on_wait

/// Set before the user's own string, which therefore wins: a dead peer is noticed within about a minute.
constexpr std::pair<const char*, const char*> kDefaults[] = {
    {"keepalives_idle", "30"}, {"keepalives_interval", "10"}, {"keepalives_count", "3"}, {"tcp_user_timeout", "60000"}};

constexpr auto kCancelTimeout = std::chrono::seconds(5);  ///< for the answer to a cancel request, and for a ROLLBACK

/// One line: every run of blanks, tabs and line ends becomes one space.
std::string strip(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

/// libpq writes `connection to server … failed: FATAL:  text`, once per host tried; the last text is the useful one.
std::string connect_message(const PGconn* c) {
  std::string text = strip(PQerrorMessage(c));
  if (auto at = text.rfind("FATAL: "); at != std::string::npos) return text.substr(at + 7);
  if (auto at = text.rfind(" failed: "); at != std::string::npos) {
    std::string tail = text.substr(at + 9);
    if (auto hint = tail.find(" Is the server"); hint != std::string::npos) tail.resize(hint);
    return "cannot connect: " + tail;
  }
  return text.empty() ? "cannot connect" : text;
}

}  // namespace

Connection::Connection(std::string name, const std::string& conninfo, const ConnectOptions& options)
    : name_(std::move(name)), options_(options) {
  std::string where = conninfo_summary(conninfo);
  label_ = where.empty() ? name_ : name_ + " " + where;
  connect(conninfo);
}

Connection::~Connection() = default;

void Connection::connect(const std::string& conninfo) {
  std::vector<const char*> keys, values;
  for (auto& [key, value] : kDefaults) keys.push_back(key), values.push_back(value);
  keys.push_back("fallback_application_name"), values.push_back(options_.application_name.c_str());
  keys.push_back("dbname"), values.push_back(conninfo.c_str());
  keys.push_back(nullptr), values.push_back(nullptr);
  conn_.reset(PQconnectStartParams(keys.data(), values.data(), 1));
  if (!conn_) throw ConnectError(label_, "", "out of memory");
  PQsetNoticeReceiver(
      raw(),
      [](void* self, const PGresult* r) {
        const char* text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
        const char* severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
        if (!text) return;
        auto& label = static_cast<Connection*>(self)->label_;
        bool warning = severity && std::string_view(severity) == "WARNING";
        (warning ? log::warning : log::debug)("[" + label + "] " + text, {});
      },
      this);
  Deadline deadline(options_.connect_timeout);
  auto need = PGRES_POLLING_WRITING;
  while (need != PGRES_POLLING_OK) {
    if (PQstatus(raw()) == CONNECTION_BAD || need == PGRES_POLLING_FAILED)
      throw ConnectError(label_, "", connect_message(raw()));
    if (deadline.passed())
      throw ConnectError(label_, "", "no answer within " + std::to_string(options_.connect_timeout.count()) + " ms");
    short events = need == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    pollfd p[2] = {{PQsocket(raw()), events, 0}, {options_.stop ? options_.stop->fd() : -1, POLLIN, 0}};
    poll(p, 2, static_cast<int>(deadline.left().count()));
    if (options_.stop) options_.stop->check();
    if (p[0].revents) need = PQconnectPoll(raw());
  }
  PQsetnonblocking(raw(), 1);
  if (conninfo_summary(conninfo).empty()) label_ = name_ + " " + std::string(PQdb(raw()));
}

short Connection::wait_socket(short events, const Deadline& deadline) {
  for (;;) {
    bool interruptible = options_.stop && !cancelling_;
    pollfd p[2] = {{PQsocket(raw()), events, 0}, {interruptible ? options_.stop->cancel_fd() : -1, POLLIN, 0}};
    int n = poll(p, 2, static_cast<int>((options_.on_wait ? deadline.left(kSignOfLife) : deadline.left()).count()));
    if (interruptible && options_.stop->cancelled()) cancel_and_throw(false);
    if (p[0].revents) return p[0].revents;
    if (n == 0 && options_.on_wait) options_.on_wait();
    if (n <= 0 && deadline.passed()) {
      if (cancelling_) return 0;
      cancel_and_throw(true);
    }
  }
}

void Connection::wait_result(const Deadline& deadline) {
  for (;;) {
    int pending = PQflush(raw());
    if (pending < 0) fail(nullptr);
    if (pending == 0 && !PQisBusy(raw())) return;
    short got = wait_socket(static_cast<short>(POLLIN | (pending ? POLLOUT : 0)), deadline);
    if ((got & ~POLLOUT) && !PQconsumeInput(raw())) fail(nullptr);
    if (!got && cancelling_) throw TimedOut("[" + label_ + "] no answer to a cancel request");
  }
}

Result Connection::collect(const Deadline& deadline) {
  ResultPtr last;
  std::optional<SqlError> error;
  for (;;) {
    wait_result(deadline);
    ResultPtr r(PQgetResult(raw()));
    if (!r) break;
    auto status = PQresultStatus(r.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return Result(std::move(r));
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      if (!error) error = error_from(r.get());
      if (PQstatus(raw()) == CONNECTION_BAD) break;
      continue;
    }
    last = std::move(r);
  }
  if (error) {
    if (error->connection_lost()) lost_ = true;
    throw *error;
  }
  return Result(std::move(last));
}

void Connection::require_ready() const {
  if (lost()) throw SqlError(label_, "08003", "the connection is closed");
  if (options_.stop && options_.stop->cancelled()) throw Stopped();
  // A statement sent into a pipeline without a sync is never answered.
  if (PQpipelineStatus(raw()) != PQ_PIPELINE_OFF) throw Error("[" + label_ + "] a pipeline is open on this connection");
}

Result Connection::exec(const char* sql, std::span<const Param> params) {
  require_ready();
  if (log::enabled(log::Level::trace)) log::trace("[" + label_ + "] " + sql);
  std::vector<const char*> values;
  values.reserve(params.size());
  for (auto& p : params) values.push_back(p.text());
  if (!PQsendQueryParams(raw(), sql, static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0))
    fail(nullptr);
  return collect(statement_deadline());
}

void Connection::collect_closing() {
  // No stop interrupts it, and a mute server costs kCancelTimeout.
  cancelling_ = true;
  try {
    collect(Deadline(kCancelTimeout));
  } catch (const Error&) {
    cancelling_ = false;
    throw;
  }
  cancelling_ = false;
}

void Connection::rollback() {
  if (lost()) throw SqlError(label_, "08003", "the connection is closed");
  try {
    if (!PQsendQuery(raw(), "ROLLBACK")) fail(nullptr);
    collect_closing();
  } catch (const Error&) {
    lost_ = true;
    throw;
  }
}

Result Connection::exec_script(const std::string& sql) {
  require_ready();
  if (log::enabled(log::Level::trace)) log::trace("[" + label_ + "] " + sql);
  if (!PQsendQuery(raw(), sql.c_str())) fail(nullptr);
  return collect(statement_deadline());
}

Deadline Connection::statement_deadline() const {
  return options_.statement_timeout.count() > 0 ? Deadline(options_.statement_timeout) : Deadline();
}

SqlError Connection::error_from(const PGresult* r) const {
  auto field = [r](int code) -> std::string {
    const char* text = r ? PQresultErrorField(r, code) : nullptr;
    return text ? strip(text) : "";
  };
  std::string message = field(PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = strip(r ? PQresultErrorMessage(r) : PQerrorMessage(raw()));
  if (message.empty()) message = "connection lost";
  if (std::string detail = field(PG_DIAG_MESSAGE_DETAIL); !detail.empty()) message += " – " + detail;
  if (std::string hint = field(PG_DIAG_MESSAGE_HINT); !hint.empty()) message += "; " + hint;
  return SqlError(label_, field(PG_DIAG_SQLSTATE), message, std::atoi(field(PG_DIAG_STATEMENT_POSITION).c_str()));
}

void Connection::fail(const PGresult* r) {
  SqlError e = error_from(r);
  if (e.connection_lost()) lost_ = true;
  throw e;
}

void Connection::cancel_and_throw(bool timed_out) {
  cancelling_ = true;
  // libpq 15 sends a cancel request with blocking calls: from a thread of its own, so that a dead host cannot hang us.
  std::promise<void> sending;
  std::future<void> sent = sending.get_future();
  if (std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> handle(PQgetCancel(raw()), &PQfreeCancel); handle) {
    std::thread([h = std::move(handle), s = std::move(sending)]() mutable {
      char text[256];
      PQcancel(h.get(), text, sizeof text);
      s.set_value();
    }).detach();
  }
  drain_after_cancel();
  // A request that is still on its way could hit the next statement.
  if (!lost_ && sent.wait_for(kCancelTimeout) != std::future_status::ready) lost_ = true;
  cancelling_ = false;
  if (timed_out)
    throw TimedOut("[" + label_ + "] statement took longer than " + std::to_string(options_.statement_timeout.count()) +
                   " ms and was cancelled");
  throw Stopped();
}

void Connection::drain_after_cancel() {
  // Outside a plain query (pipeline, COPY) the protocol state is not worth saving: the owner reconnects.
  if (PQpipelineStatus(raw()) != PQ_PIPELINE_OFF || PQtransactionStatus(raw()) != PQTRANS_ACTIVE) {
    lost_ = true;
    return;
  }
  Deadline deadline(kCancelTimeout);
  try {
    for (;;) {
      wait_result(deadline);
      ResultPtr r(PQgetResult(raw()));
      if (!r) return;
      auto status = PQresultStatus(r.get());
      if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) break;
    }
  } catch (const Error& e) {
    log::debug("after a cancel", {{"error", std::string(e.what())}});
  }
  lost_ = true;
}

std::vector<Notification> Connection::notifications() {
  if (lost()) throw SqlError(label_, "08003", "the connection is closed");
  if (!PQconsumeInput(raw())) {
    lost_ = true;
    throw SqlError(label_, "", "connection lost: " + strip(PQerrorMessage(raw())));
  }
  std::vector<Notification> out;
  while (PGnotify* n = PQnotifies(raw())) {
    out.push_back({n->relname, n->extra});
    PQfreemem(n);
  }
  return out;
}

bool wait_readable(std::initializer_list<const Connection*> connections, milliseconds d, const StopToken& stop) {
  std::vector<pollfd> p{{stop.fd(), POLLIN, 0}};
  for (auto* c : connections)
    if (c && !c->lost()) p.push_back({c->socket(), POLLIN, 0});
  poll(p.data(), p.size(), static_cast<int>(d.count()));
  return !stop.requested();
}

bool Connection::wait_readable(milliseconds d) {
  if (options_.stop) return options_.stop->wait(d, socket());
  pollfd p{socket(), POLLIN, 0};
  poll(&p, 1, static_cast<int>(d.count()));
  return true;
}

}  // namespace skytools::pg
