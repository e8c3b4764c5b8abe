#include "core/pg/pipeline.h"

#include <poll.h>

#include <cstring>
#include <limits>

#include "core/log/log.h"

namespace skytools::pg {

namespace {
constexpr std::size_t kWindow = 4096;           ///< statements in flight
constexpr std::size_t kPumpBytes = 256 * 1024;  ///< look at the socket at least this often
constexpr int kFlushRequestEvery = 512;         ///< answers are asked for at least this often
constexpr std::int64_t kSyncTag = std::numeric_limits<std::int64_t>::min();
}  // namespace

Pipeline::Pipeline(Transaction& tx) : c_(tx.connection()) {
  c_.require_ready();
  if (!PQenterPipelineMode(c_.raw())) throw Error("[" + c_.label() + "] cannot enter pipeline mode");
}

Pipeline::~Pipeline() {
  if (c_.lost()) return;
  try {
    finish();
    if (!PQexitPipelineMode(c_.raw())) c_.lost_ = true;
  } catch (const std::exception& e) {
    c_.lost_ = true;
    log::debug("leaving a pipeline failed, the connection is dropped", {{"error", std::string(e.what())}});
  }
}

void Pipeline::prepare(const std::string& name, const std::string& sql, std::int64_t tag) {
  if (!PQsendPrepare(c_.raw(), name.c_str(), sql.c_str(), 0, nullptr)) c_.fail(nullptr);
  after_send(tag, sql.size());
}

void Pipeline::run(const std::string& name, std::span<const char* const> values, std::int64_t tag) {
  if (!PQsendQueryPrepared(c_.raw(), name.c_str(), static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0))
    c_.fail(nullptr);
  std::size_t bytes = 64;
  for (const char* v : values) bytes += v ? std::strlen(v) : 0;
  after_send(tag, bytes);
}

void Pipeline::exec(const std::string& sql, std::span<const char* const> values, std::int64_t tag) {
  if (!PQsendQueryParams(c_.raw(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                         nullptr, 0))
    c_.fail(nullptr);
  std::size_t bytes = sql.size();
  for (const char* v : values) bytes += v ? std::strlen(v) : 0;
  after_send(tag, bytes);
}

void Pipeline::after_send(std::int64_t tag, std::size_t bytes) {
  in_flight_.push_back(tag);
  unsynced_ = true;
  ++sent_;
  unflushed_bytes_ += bytes;
  if (++unrequested_ >= kFlushRequestEvery) {
    unrequested_ = 0;
    if (!PQsendFlushRequest(c_.raw())) c_.fail(nullptr);
  }
  if (unflushed_bytes_ >= kPumpBytes || in_flight_.size() >= kWindow) {
    unflushed_bytes_ = 0;
    pump(false);
  }
  if (error_) throw_failure();
}

bool Pipeline::take_results() {
  PGconn* conn = c_.raw();
  bool any = false;
  while (!in_flight_.empty() && !PQisBusy(conn)) {
    ResultPtr r(PQgetResult(conn));
    if (!r && PQstatus(conn) == CONNECTION_BAD) c_.fail(nullptr);
    if (!r) continue;  // end of one statement's results
    auto status = PQresultStatus(r.get());
    std::int64_t tag = in_flight_.front();
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
      c_.lost_ = true;
      throw Error("[" + c_.label() + "] COPY cannot run in a pipeline");
    }
    in_flight_.pop_front();
    any = true;
    if (status == PGRES_PIPELINE_SYNC || status == PGRES_PIPELINE_ABORTED) continue;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      if (on_affected && tag != kSyncTag) {
        const char* n = PQcmdTuples(r.get());
        if (*n) on_affected(tag, std::strtoll(n, nullptr, 10));
      }
    } else if (!error_) {
      error_ = c_.error_from(r.get());
      error_tag_ = tag;
      if (error_->connection_lost()) c_.lost_ = true;
    }
  }
  return any;
}

void Pipeline::pump(bool until_empty) {
  PGconn* conn = c_.raw();
  Deadline deadline = c_.statement_deadline();
  for (;;) {
    int pending = PQflush(conn);
    if (pending < 0) c_.fail(nullptr);
    if (take_results()) deadline = c_.statement_deadline();
    if (c_.lost()) throw_failure();
    // Sending goes on while the server still reads and half of the window is free.
    if (until_empty ? in_flight_.empty() : pending == 0 && in_flight_.size() < kWindow / 2) return;
    if (!until_empty && pending == 0 && unrequested_ > 0) {
      unrequested_ = 0;
      if (!PQsendFlushRequest(conn)) c_.fail(nullptr);
      continue;
    }
    short got = c_.wait_socket(static_cast<short>(POLLIN | (pending ? POLLOUT : 0)), deadline);
    if ((got & ~POLLOUT) && !PQconsumeInput(conn)) c_.fail(nullptr);
  }
}

void Pipeline::sync() {
  if (error_) throw_failure();
  finish();
  if (error_) throw_failure();
}

void Pipeline::finish() {
  // All answers may be there already (after an error libpq itself makes up those of the aborted statements): that says
  // nothing about the sync, without which the server would ignore the next statement too.
  if (!unsynced_) return;
  if (!PQpipelineSync(c_.raw())) c_.fail(nullptr);
  unsynced_ = false;
  unrequested_ = 0;
  in_flight_.push_back(kSyncTag);
  pump(true);
}

void Pipeline::throw_failure() {
  if (!error_) c_.fail(nullptr);
  throw PipelineError(*error_, error_tag_);
}

}  // namespace skytools::pg
