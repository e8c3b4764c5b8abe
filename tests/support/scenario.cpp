#include "tests/support/scenario.h"

#include <libpq-fe.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "tests/support/cluster.h"

namespace skytools::test {

namespace {

using Lines = std::vector<std::string>;

constexpr milliseconds kPatience = std::chrono::minutes(5);  // for each statement
constexpr const char* kSettings = "set statement_timeout = '5min'";

std::string one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\n");
  return text;
}

/// One connection; collects the lines of the statement that runs.
class Session {
 public:
  explicit Session(const std::string& conninfo)
      : conn_(PQconnectdb((conninfo + " client_encoding=UTF8").c_str()), &PQfinish) {
    if (PQstatus(conn_.get()) != CONNECTION_OK) throw Error(PQerrorMessage(conn_.get()));
    PQsetNoticeReceiver(conn_.get(), &Session::on_notice, this);
    run(kSettings);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void send(const std::string& sql) {
    lines_.clear();
    if (!PQsendQuery(conn_.get(), sql.c_str())) throw Error(PQerrorMessage(conn_.get()));
  }
  Lines receive() {
    while (std::unique_ptr<PGresult, decltype(&PQclear)> r{PQgetResult(conn_.get()), &PQclear}) add(r.get());
    if (PQstatus(conn_.get()) != CONNECTION_OK) throw Error(PQerrorMessage(conn_.get()));
    return std::move(lines_);
  }
  Lines run(const std::string& sql) {
    send(sql);
    return receive();
  }
  /// True when what was sent has ended or waits for a lock of somebody else.
  bool settled(Session& observer) {
    if (!PQconsumeInput(conn_.get())) throw Error(PQerrorMessage(conn_.get()));
    if (!PQisBusy(conn_.get())) return true;
    auto waits =
        observer.run("select cardinality(pg_blocking_pids(" + std::to_string(PQbackendPID(conn_.get())) + ")) > 0");
    return waits.front() == "t";
  }

 private:
  static void on_notice(void* self, const PGresult* r) {
    auto& lines = static_cast<Session*>(self)->lines_;
    lines.push_back(std::string(PQresultErrorField(r, PG_DIAG_SEVERITY)) + ": " +
                    one_line(PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)));
  }
  void add(const PGresult* r) {
    if (const char* state = PQresultErrorField(r, PG_DIAG_SQLSTATE)) {
      lines_.push_back("ERROR " + std::string(state) + ": " + one_line(PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)));
      return;
    }
    for (int row = 0; row < PQntuples(r); ++row) {
      std::string line;
      for (int column = 0; column < PQnfields(r); ++column)
        line += (column ? "|" : "") + (PQgetisnull(r, row, column) ? "~" : one_line(PQgetvalue(r, row, column)));
      lines_.push_back(line);
    }
    lines_.push_back(PQcmdStatus(const_cast<PGresult*>(r)));
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> conn_;
  Lines lines_;
};

/// Whether a `$$` is open behind `line`.
bool quoted_after(const std::string& line, bool quoted) {
  for (std::size_t at = 0; (at = line.find("$$", at)) != std::string::npos; at += 2) quoted = !quoted;
  return quoted;
}

}  // namespace

std::vector<Step> read_scenario(const std::filesystem::path& script) {
  std::ifstream in(script);
  if (!in) throw Error("cannot read " + script.string());
  std::vector<Step> steps;
  Step next;
  bool quoted = false;
  int number = 0;
  auto finish = [&] {
    steps.push_back(next);
    const std::string session = next.session;
    next = {};
    next.session = session;
  };
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!next.sql.empty() || (!line.empty() && !line.starts_with("--"))) {
      if (next.sql.empty()) next.line = number;
      next.sql += (next.sql.empty() ? "" : "\n") + line;
      quoted = quoted_after(line, quoted);
      if (!quoted && line.ends_with(';')) finish();
      continue;
    }
    std::string rest = line.size() > 4 ? line.substr(4) : "";
    if (line.starts_with("--! ")) {
      next.reason = rest;
    } else if (line.starts_with("--= ")) {
      next.expected.push_back(rest);
    } else if (line.starts_with("--@ ")) {
      std::istringstream words(rest);
      std::string what;
      words >> next.session >> what;
      next.sent = what == "sends";
      next.line = number;
      if (what == "receives") finish();
    }
  }
  if (!next.sql.empty()) throw Error(script.string() + ":" + std::to_string(next.line) + ": the statement has no end");
  return steps;
}

std::vector<Lines> run_scenario(const std::string& conninfo, const std::vector<Step>& steps) {
  std::map<std::string, std::unique_ptr<Session>> sessions;
  Session observer(conninfo);
  std::vector<Lines> outcomes;
  for (auto& step : steps) {
    auto& session = sessions[step.session];
    if (!session) session = std::make_unique<Session>(conninfo);
    if (!step.sql.empty()) session->send(step.sql);
    if (!step.sent) {
      outcomes.push_back(session->receive());
      continue;
    }
    outcomes.emplace_back();
    if (!eventually(kPatience, [&] { return session->settled(observer); }))
      throw Error("line " + std::to_string(step.line) + " neither ended nor waited for a lock");
  }
  return outcomes;
}

}  // namespace skytools::test
