#pragma once
// Sessions held open by hand, and a database with a queue for them: tests of what several sessions do at once.
#include <doctest/doctest.h>

#include <future>
#include <optional>
#include <string>
#include <vector>

#include "core/pg/transaction.h"
#include "core/schema/install.h"
#include "tests/support/cluster.h"

namespace skytools::test {

inline constexpr milliseconds kPatience = std::chrono::seconds(20);

/// A session whose transactions are opened and ended by hand, as the cases need several open at once.
class Session {
 public:
  explicit Session(const std::string& conninfo, pg::Mode mode = pg::Mode::read_write)
      : c_("session", conninfo), mode_(mode) {}

  /// One value, as text; "NULL" for NULL. Begins a transaction if none is open.
  template <class... A>
  std::string ask(const std::string& sql, A&&... args) {
    if (!tx_) tx_.emplace(c_, mode_);
    return tx_->value<std::optional<std::string>>(sql, std::forward<A>(args)...).value_or("NULL");
  }
  /// Statements without a value.
  void run(const std::string& sql) {
    if (!tx_) tx_.emplace(c_, mode_);
    tx_->script(sql);
  }
  void commit() {
    if (tx_) tx_->commit();
    tx_.reset();
  }
  void rollback() { tx_.reset(); }
  /// @return the SQLSTATE of the failure, "" if it went well; a failed transaction is rolled back
  template <class... A>
  std::string sqlstate_of(const std::string& sql, A&&... args) {
    try {
      ask(sql, std::forward<A>(args)...);
    } catch (const pg::SqlError& e) {
      rollback();
      return e.sqlstate();
    }
    return "";
  }
  int pid() const { return c_.backend_pid(); }

 private:
  pg::Connection c_;
  pg::Mode mode_;
  std::optional<pg::Transaction> tx_;
};

/// Ticks at once, whatever the ticker's rules say.
inline void force_tick(pg::Transaction& tx, const std::string& queue) {
  tx.exec("select pgq.force_tick($1)", queue);
  tx.exec("select pgq.ticker($1)", queue);
}

/// A database with the schema and a queue "q" with the consumer "c", whose rotation is always due.
struct Queue : Database {
  explicit Queue(run::ThrowawayServer& on = server()) : Database(on) {
    {
      pg::Connection c("test", conninfo());
      schema::install(c, {.modules = {"pgq"}});
    }
    create();
  }
  void create() const {
    query("select pgq.create_queue('q'), pgq.register_consumer('q', 'c')");
    query("update pgq.queue set queue_rotation_period = '0'");
  }
  /// The queue anew: with its first table, and no ticks but the first.
  void recreate() const {
    query("select pgq.drop_queue('q', true)");
    create();
  }
  std::string insert(const std::string& data) const {
    return query("select pgq.insert_event('q', 't', '" + data + "')");
  }
  /// Ticks as if the newest tick were an hour older.
  std::string tick() const {
    query("update pgq.tick set tick_time = tick_time - interval '1 hour'");
    return query("select pgq.ticker('q')");
  }
  void step1() const { query("select pgq.maint_rotate_tables_step1('q')"); }
  void step2() const { query("select pgq.maint_rotate_tables_step2()"); }
  std::string table() const { return query("select queue_cur_table from pgq.queue"); }
  /// All batches there are, finished; the data of their events in order.
  std::vector<std::string> drain() const {
    pg::Connection c("consumer", conninfo());
    pg::Transaction tx(c, pg::Mode::autocommit);
    std::vector<std::string> out;
    while (auto batch = tx.value<std::optional<std::int64_t>>("select pgq.next_batch('q', 'c')")) {
      pg::Result events = tx.exec("select ev_data from pgq.get_batch_events($1)", *batch);
      for (int i = 0; i < events.rows(); ++i) out.emplace_back(events.text(i, 0));
      tx.exec("select pgq.finish_batch($1)", *batch);
    }
    return out;
  }
  std::vector<std::string> tick_and_drain() const {
    tick();
    return drain();
  }
  /// The consumer goes past the last rotation, then the next one is done completely.
  void rotate() const {
    tick_and_drain();
    const std::string before = table();
    step1(), step2();
    REQUIRE(table() != before);
  }
  bool waits_for_lock(const Session& s) const {
    return query("select wait_event_type = 'Lock' from pg_stat_activity where pid = " + std::to_string(s.pid())) == "t";
  }
  /// Runs `sql` in the second session while the first one's transaction is open; `end` ends that.
  /// @return what the second session got, its transaction committed
  template <class End>
  std::string contended(Session& second, const std::string& sql, End end) const {
    auto answer = std::async(std::launch::async, [&] {
      std::string got = second.ask(sql);
      second.commit();
      return got;
    });
    CHECK(eventually(kPatience, [&] { return waits_for_lock(second); }));
    end();
    return answer.get();
  }
};

}  // namespace skytools::test
