#pragma once
// A database with queues, and questions about their ticks.
#include <functional>
#include <string>
#include <vector>

#include "core/schema/install.h"
#include "tests/support/cluster.h"

namespace skytools::test {

inline constexpr milliseconds kPatience = std::chrono::seconds(20);

inline void install_pgq(const std::string& conninfo) {
  pg::Connection c("test", conninfo);
  schema::install(c, {.modules = {"pgq"}});
}

/// A database with the schema and some queues.
struct Queues : Database {
  explicit Queues(std::initializer_list<const char*> names = {"q"}, run::ThrowawayServer& on = server())
      : Database(on) {
    install_pgq(conninfo());
    for (auto name : names) query("select pgq.create_queue('" + std::string(name) + "')");
  }
  std::string insert(const std::string& queue = "q") const {
    return query("select pgq.insert_event('" + queue + "', 't', 'd')");
  }
  std::int64_t ticks(const std::string& queue = "q") const {
    return std::stoll(query(
        "select count(*) from pgq.tick join pgq.queue on queue_id = tick_queue where queue_name = '" + queue + "'"));
  }
  /// Is everything that has been committed to the queue covered by its newest tick?
  bool covered(const std::string& queue = "q") const {
    std::string table =
        query("select pgq.quote_fqname(queue_data_pfx) from pgq.queue where queue_name = '" + queue + "'");
    return query("select not exists (select 1 from " + table +
                 " where not txid_visible_in_snapshot(ev_txid, (select tick_snapshot from pgq.tick"
                 " join pgq.queue on queue_id = tick_queue where queue_name = '" +
                 queue + "' order by tick_id desc limit 1)))") == "t";
  }
  bool soon_covered(const std::string& queue = "q") const {
    return eventually(kPatience, [&] { return covered(queue); });
  }
  int locks(int number) const {
    return std::stoi(
        query("select count(*) from pg_locks join pg_database d on d.oid = database and d.datname = current_database()"
              " where locktype = 'advisory' and granted and mode = 'ExclusiveLock'"
              "   and classid = 1397446516 and objid = " +
              std::to_string(number)));
  }
  bool asleep() const { return locks(3) == 1; }
  /// Pretends that the newest two ticks are that old.
  void age_ticks(const std::string& second_newest, const std::string& newest) const {
    query(
        "update pgq.tick t set tick_time = now() - case when tick_id = (select max(tick_id) from pgq.tick x where "
        "x.tick_queue = t.tick_queue)"
        " then interval '" +
        newest + "' else interval '" + second_newest + "' end");
  }
  /// No idle tick is due for an hour.
  void calm() const {
    query("update pgq.queue set queue_ticker_idle_period = '2 hours'");
    age_ticks("3 hours", "0 seconds");
  }
};

inline std::vector<std::string> ticker_args(const Database& db, std::vector<std::string> more = {}) {
  std::vector<std::string> args = {"ticker", "--db", db.conninfo()};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

inline bool soon(const std::function<bool()>& predicate) { return eventually(kPatience, predicate); }
inline bool soon_logged(Background& ticker, const std::string& text) {
  return soon([&] { return ticker.logged(text); });
}

}  // namespace skytools::test
