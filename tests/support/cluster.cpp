#include "tests/support/cluster.h"

#include <thread>

#include "core/base/quote.h"
#include "core/log/log.h"
#include "core/pg/transaction.h"

namespace skytools::test {

run::ThrowawayServer& server() {
  static run::ThrowawayServer shared(
      {.settings = "autovacuum = off\nmax_prepared_transactions = 10\nmax_replication_slots = 10\nmax_wal_senders = "
                   "10\nmax_connections = 200",
       .wal_level = "logical"});
  return shared;
}

Database::Database(run::ThrowawayServer& on) : server_(on) {
  static int made = 0;
  name_ = "test_" + std::to_string(++made);
  conninfo_ = server_.new_database(name_);
}

Database::~Database() {
  if (!server_.running()) return;
  try {
    pg::Connection c("test", server_.conninfo("postgres"));
    pg::Transaction tx(c, pg::Mode::autocommit);
    // Twice: a worker may connect again in between. DROP DATABASE … WITH (FORCE) needs PostgreSQL 13.
    for (int i = 0; i < 2; ++i)
      tx.exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name_);
    tx.exec("drop database " + quote_ident(name_));
  } catch (const Error& e) {
    log::warning("a test database stays until its server goes", {{"error", std::string(e.what())}});
  }
}

std::string Database::query(const std::string& sql) const { return test::query(conninfo_, sql); }

std::string query(const std::string& conninfo, const std::string& sql) {
  pg::Connection c("test", conninfo);
  pg::Transaction tx(c, pg::Mode::autocommit);
  pg::Result r = tx.script(sql);
  std::string out;
  for (int i = 0; i < r.rows(); ++i) {
    if (i) out += '\n';
    for (int j = 0; j < r.columns(); ++j) {
      if (j) out += '|';
      out += r.null(i, j) ? "NULL" : r.text(i, j);
    }
  }
  return out;
}

bool eventually(milliseconds limit, const std::function<bool()>& predicate) {
  for (Deadline deadline(limit);;) {
    if (predicate()) return true;
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
}

}  // namespace skytools::test
