#include "core/pg/copy.h"

#include <poll.h>

#include "core/log/log.h"

namespace skytools::pg {

namespace {
constexpr std::size_t kFlushBytes = 64 * 1024;
constexpr std::int64_t kProgressEvery = 1024;  ///< rows between two progress calls

/// Is the protocol in the middle of some COPY? Such a connection can only be dropped.
bool copying(const Result& r) {
  return r.status() == PGRES_COPY_IN || r.status() == PGRES_COPY_OUT || r.status() == PGRES_COPY_BOTH;
}
}  // namespace

/// The part of relay() that sees the connections' insides.
class CopyRelay {
 public:
  CopyRelay(CopyOut& from, CopyIn& to) : from_(from), to_(to) {}
  CopyTotals run(const std::function<void(const CopyTotals&)>& progress);

 private:
  bool drain();  ///< moves what has arrived; true at the end of the data
  void wait();

  CopyOut& from_;
  CopyIn& to_;
  CopyTotals totals_;
  bool backlog_ = false;  ///< the target has not taken all yet: the source has to wait
};

CopyOut::CopyOut(Transaction& tx, const std::string& sql) : c_(tx.connection()) {
  Result started = c_.exec(sql.c_str(), {});
  if (started.status() == PGRES_COPY_OUT) return;
  c_.lost_ = copying(started);
  throw Error("[" + c_.label() + "] not a COPY TO STDOUT: " + sql);
}

CopyOut::~CopyOut() {
  release();
  if (open_) c_.lost_ = true;
}

void CopyOut::release() noexcept {
  if (buffer_) PQfreemem(buffer_);
  buffer_ = nullptr;
}

std::optional<std::string_view> CopyOut::next() {
  release();
  for (;;) {
    int n = PQgetCopyData(c_.raw(), &buffer_, 1);
    if (n > 0) return std::string_view(buffer_, static_cast<std::size_t>(n));
    if (n == -2) c_.fail(nullptr);
    if (n == -1) {
      open_ = false;
      c_.collect(c_.statement_deadline());
      return std::nullopt;
    }
    c_.wait_socket(POLLIN, c_.statement_deadline());
    if (!PQconsumeInput(c_.raw())) c_.fail(nullptr);
  }
}

CopyIn::CopyIn(Transaction& tx, const std::string& sql) : c_(tx.connection()) {
  Result started = c_.exec(sql.c_str(), {});
  if (started.status() == PGRES_COPY_IN) return;
  c_.lost_ = copying(started);
  throw Error("[" + c_.label() + "] not a COPY FROM STDIN: " + sql);
}

CopyIn::~CopyIn() {
  if (!open_ || c_.lost()) return;
  try {
    if (PQputCopyEnd(c_.raw(), "aborted by skytools") < 0) c_.fail(nullptr);
    c_.collect_closing();
  } catch (const SqlError& e) {
    if (e.sqlstate() != "57014") log::debug("aborting a COPY", {{"error", std::string(e.what())}});
  } catch (const Error&) {
    c_.lost_ = true;
  }
}

void CopyIn::put(std::string_view data) {
  if (PQputCopyData(c_.raw(), data.data(), static_cast<int>(data.size())) != 1) {
    // The server may have ended the COPY with an error that says why.
    open_ = false;
    c_.collect(c_.statement_deadline());
    c_.fail(nullptr);
  }
  unflushed_ += data.size();
  if (unflushed_ >= kFlushBytes) flush(true);
}

void CopyIn::flush(bool all) {
  unflushed_ = 0;
  for (;;) {
    int pending = PQflush(c_.raw());
    if (pending < 0) c_.fail(nullptr);
    if (pending == 0 || !all) return;
    short got = c_.wait_socket(POLLIN | POLLOUT, c_.statement_deadline());
    if ((got & ~POLLOUT) && !PQconsumeInput(c_.raw())) c_.fail(nullptr);
  }
}

std::int64_t CopyIn::finish() {
  open_ = false;
  if (PQputCopyEnd(c_.raw(), nullptr) < 0) c_.fail(nullptr);
  return c_.collect(c_.statement_deadline()).affected();
}

bool CopyRelay::drain() {
  PGconn* in = to_.c_.raw();
  for (;;) {
    char* data = nullptr;
    int n = PQgetCopyData(from_.c_.raw(), &data, 1);
    if (n == 0) return false;
    if (n == -1) return true;
    if (n < 0) from_.c_.fail(nullptr);
    int rc = PQputCopyData(in, data, n);
    PQfreemem(data);
    if (rc != 1) {
      to_.open_ = false;
      to_.c_.collect(to_.c_.statement_deadline());
      to_.c_.fail(nullptr);
    }
    ++totals_.rows;
    totals_.bytes += n;
    to_.unflushed_ += static_cast<std::size_t>(n);
    if (to_.unflushed_ >= kFlushBytes) {
      to_.unflushed_ = 0;
      int pending = PQflush(in);
      if (pending < 0) to_.c_.fail(nullptr);
      backlog_ = pending > 0;
      return false;
    }
  }
}

void CopyRelay::wait() {
  auto* stop = from_.c_.stop();
  short target_events = static_cast<short>(POLLIN | (backlog_ ? POLLOUT : 0));
  short source_events = backlog_ ? 0 : POLLIN;
  pollfd p[3] = {
      {from_.c_.socket(), source_events, 0}, {to_.c_.socket(), target_events, 0}, {stop ? stop->fd() : -1, POLLIN, 0}};
  // Whoever we wait for has its statement timeout to move at all.
  Connection& awaited = backlog_ ? to_.c_ : from_.c_;
  Deadline deadline = awaited.statement_deadline();
  while (poll(p, 3, static_cast<int>(deadline.left().count())) <= 0)
    if (deadline.passed()) awaited.cancel_and_throw(true);
  if (stop) stop->check();
  if (p[0].revents && !backlog_ && !PQconsumeInput(from_.c_.raw())) from_.c_.fail(nullptr);
  if ((p[1].revents & ~POLLOUT) && !PQconsumeInput(to_.c_.raw())) to_.c_.fail(nullptr);
  if (backlog_) {
    int pending = PQflush(to_.c_.raw());
    if (pending < 0) to_.c_.fail(nullptr);
    backlog_ = pending > 0;
  }
}

CopyTotals CopyRelay::run(const std::function<void(const CopyTotals&)>& progress) {
  std::int64_t reported = 0;
  for (;;) {
    if (!backlog_) {
      std::int64_t before = totals_.rows;
      if (drain()) break;
      if (progress && totals_.rows - reported >= kProgressEvery) progress(totals_), reported = totals_.rows;
      // Data that is already here needs no poll; the stop is still looked at.
      if (totals_.rows != before && !backlog_) {
        if (from_.c_.stop()) from_.c_.stop()->check();
        continue;
      }
    }
    wait();
  }
  from_.open_ = false;
  from_.c_.collect(from_.c_.statement_deadline());
  totals_.rows = to_.finish();
  if (progress) progress(totals_);
  return totals_;
}

CopyTotals relay(CopyOut& from, CopyIn& to, const std::function<void(const CopyTotals&)>& progress) {
  return CopyRelay(from, to).run(progress);
}

}  // namespace skytools::pg
