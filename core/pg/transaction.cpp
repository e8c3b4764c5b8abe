#include "core/pg/transaction.h"

#include <utility>

#include "core/base/quote.h"
#include "core/log/log.h"

namespace skytools::pg {

namespace {
constexpr const char* begin_statement(Mode mode) {
  switch (mode) {
    case Mode::read_only:
      return "BEGIN READ ONLY";
    case Mode::repeatable_read:
      return "BEGIN ISOLATION LEVEL REPEATABLE READ";
    default:
      return "BEGIN ISOLATION LEVEL READ COMMITTED";
  }
}
}  // namespace

Transaction::Transaction(Connection& c, Mode mode) : c_(c), open_(mode != Mode::autocommit) {
  if (open_) c_.exec(begin_statement(mode), {});
}

Transaction::~Transaction() {
  try {
    settle();
  } catch (const std::exception& e) {
    log::debug("background work of a transaction that is given up failed", {{"error", std::string(e.what())}});
  }
  if (!open_ || c_.lost()) return;
  try {
    c_.rollback();
  } catch (const Error& e) {
    log::debug("rollback failed, the connection is dropped", {{"error", std::string(e.what())}});
  }
}

void Transaction::settle() {
  // The work itself comes by here too, with every statement; work_ belongs to the owner.
  if (std::this_thread::get_id() != owner_) return;
  // Work in a thread of its own reads owner_ as long as it lasts; deferred work is done here, and comes by here again.
  if (work_.wait_for(milliseconds(0)) != std::future_status::deferred) work_.wait();
  owner_ = {};
  std::exchange(work_, {}).get();
}

void Transaction::commit() {
  if (!open_) return;
  settle();
  c_.require_ready();  // what fails before the COMMIT is sent is not in doubt
  open_ = false;
  std::string tag;
  try {
    Result r = c_.exec("COMMIT", {});
    tag = r.command_tag();
  } catch (const SqlError& e) {
    if (e.connection_lost() || c_.lost()) {
      c_.lost_ = true;
      throw CommitInDoubt(c_.label(), e.sqlstate(), "connection lost while committing: " + e.message());
    }
    throw;
  } catch (const Stopped&) {
    c_.lost_ = true;
    throw CommitInDoubt(c_.label(), "", "cancelled while committing");
  } catch (const TimedOut&) {
    c_.lost_ = true;
    throw CommitInDoubt(c_.label(), "", "timed out while committing");
  }
  // COMMIT of a failed transaction answers ROLLBACK, which must not pass for success.
  if (tag == "ROLLBACK") throw SqlError(c_.label(), "25P02", "the transaction had failed and was rolled back");
}

void Transaction::rollback() {
  if (!open_) return;
  settle();
  open_ = false;
  c_.rollback();
}

bool listen(Connection& c, const std::string& channel) {
  Transaction tx(c, Mode::autocommit);
  tx.exec("LISTEN " + quote_ident(channel));
  return tx.value<bool>("select exists (select 1 from pg_catalog.pg_listening_channels() as ch where ch = $1)",
                        channel);
}

}  // namespace skytools::pg
