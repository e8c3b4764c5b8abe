// Schema pgq_coop with several sessions at once. What one session sees is in tests/sql/pgq_coop.
#include <doctest/doctest.h>

#include <barrier>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "core/pg/transaction.h"
#include "core/schema/install.h"
#include "tests/support/cluster.h"

using namespace skytools;
using namespace std::chrono_literals;

namespace {

constexpr milliseconds kPatience = 20s;

bool have_extension() {
  if (test::query(test::server().conninfo("postgres"),
                  "select count(*) from pg_available_extensions where name = 'pgq'") == "1")
    return true;
  MESSAGE("SKIPPED: this server has no extension pgq");
  return false;
}

/// A database with the schemas, made by us or by the original's extension, and a queue "q".
struct Queue : test::Database {
  explicit Queue(bool extension = false) {
    if (extension) query("create extension pgq");
    pg::Connection c("test", conninfo());
    schema::install(c, {.modules = {"pgq_coop"}});
    query("select pgq.create_queue('q')");
  }
  /// One more batch, of this event.
  void add(const std::string& data) const {
    query("select pgq.insert_event('q', 't', '" + data + "')");
    query("select pgq.force_tick('q')");
    query("select pgq.ticker('q')");
  }
  std::string next(const std::string& member, const std::string& dead_interval = "1 hour") const {
    return query("select pgq_coop.next_batch('q', 'm', '" + member + "', '" + dead_interval + "')");
  }
  std::string finish(const std::string& batch) const { return query("select pgq_coop.finish_batch(" + batch + ")"); }
  std::string data(const std::string& batch) const {
    return query("select string_agg(ev_data, ' ' order by ev_id) from pgq.get_batch_events(" + batch + ")");
  }
  /// Starts a statement in a session of its own and waits until it waits for a lock.
  std::future<std::string> blocked(const std::string& sql) const {
    auto answer = std::async(std::launch::async, [this, sql] { return query(sql); });
    CHECK(test::eventually(kPatience, [&] {
      return query("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = '" + name() +
                   "'") == "1";
    }));
    return answer;
  }
};

/// All threads begin together. @return what they got, or their errors
std::vector<std::string> at_once(const std::string& conninfo, int sessions,
                                 const std::function<std::string(int)>& sql) {
  std::barrier start(sessions);
  std::vector<std::string> got(static_cast<std::size_t>(sessions));
  std::vector<std::jthread> threads;
  for (int i = 0; i < sessions; ++i)
    threads.emplace_back([&, i] {
      auto& answer = got[static_cast<std::size_t>(i)];
      try {
        pg::Connection c("session", conninfo);
        pg::Transaction tx(c, pg::Mode::autocommit);
        tx.exec("select 1");
        start.arrive_and_wait();
        answer = tx.value<std::optional<std::string>>(sql(i)).value_or("NULL");
      } catch (const std::exception& e) {
        answer = e.what();
      }
    });
  threads.clear();
  return got;
}

/// Eight sessions whose first call is the first of all, a few times over.
void first_calls(const Queue& db) {
  using Strings = std::vector<std::string>;
  for (int round = 0; round < 6; ++round) {
    CAPTURE(round);
    CHECK(at_once(db.conninfo(), 8, [](int i) {
            return "select pgq_coop.next_batch('q', 'm', 's" + std::to_string(i) + "')";
          }) == Strings(8, "NULL"));
    CHECK(db.query("select count(*), count(distinct sub_id), count(sub_last_tick) from pgq.subscription") == "9|1|1");
    CHECK(db.query("select pgq.unregister_consumer('q', 'm')") == "9");
    CHECK(at_once(db.conninfo(), 8, [](int) { return "select pgq_coop.next_batch('q', 'm', 's')"; }) ==
          Strings(8, "NULL"));
    CHECK(db.query("select string_agg(consumer_name, ' ' order by consumer_name) from pgq.get_consumer_info('q')") ==
          "m m.s");
    db.query("select pgq.unregister_consumer('q', 'm')");
    auto registered =
        at_once(db.conninfo(), 8, [](int) { return "select pgq_coop.register_subconsumer('q', 'm', 's')"; });
    std::sort(registered.begin(), registered.end());
    CHECK(registered == Strings{"0", "0", "0", "0", "0", "0", "0", "1"});
    db.query("select pgq.unregister_consumer('q', 'm')");
  }
}

/// Workers of one group that record each event in the transaction that finishes its batch, and now and then seem dead:
/// they begin anew under another name and come back to the batch later, when it may be somebody else's.
class Workers {
 public:
  Workers(const Queue& db, int events) : db_(db), events_(events) {}

  /// @return the first error, "" when all events are done
  std::string run() {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([this, i] { guarded([&] { work(i); }); });
    threads.emplace_back([this] { guarded([&] { disturb(); }); });
    threads.clear();
    return error_;
  }
  int late() const { return late_; }  ///< batches that somebody tried to finish after losing them
  int thrown_out() const { return thrown_out_; }

 private:
  void guarded(const std::function<void()>& what) {
    try {
      what();
    } catch (const std::exception& e) {
      std::lock_guard lock(mutex_);
      if (error_.empty()) error_ = e.what();
      over_ = true;
    }
  }
  /// Records and finishes. False: the batch was lost, and nothing is recorded.
  bool finish(pg::Connection& c, std::int64_t batch) {
    pg::Transaction tx(c);
    try {
      tx.exec("insert into done select ev_id, $1 from pgq.get_batch_events($1)", batch);
    } catch (const pg::SqlError& e) {
      if (e.message() != "batch not found" && !e.message().starts_with("Cannot find data for batch")) throw;
      ++late_;
      return false;
    }
    if (tx.value<int>("select pgq_coop.finish_batch($1)", batch) == 0) {
      ++late_;
      return false;
    }
    tx.commit();
    return true;
  }
  void work(int number) {
    std::minstd_rand random(static_cast<unsigned>(number));
    pg::Connection c("worker", pg::with_keyword(db_.conninfo(), "options", "-c client_min_messages=error"));
    std::vector<std::int64_t> abandoned;
    int lives = 0;
    for (Deadline deadline(60s); !over_;) {
      if (deadline.passed()) throw Error("events are missing after a minute");
      const std::string member = "w" + std::to_string(number) + "_" + std::to_string(lives);
      std::optional<std::int64_t> batch;
      {
        pg::Transaction tx(c, pg::Mode::autocommit);
        batch = tx.value<std::optional<std::int64_t>>("select pgq_coop.next_batch('q', 'm', $1, '30 ms')", member);
      }
      if (batch && random() % 4 == 0) {
        abandoned.push_back(*batch), ++lives;
      } else if (batch) {
        finish(c, *batch);
      } else if (abandoned.empty()) {
        pg::Transaction tx(c, pg::Mode::autocommit);
        over_ = over_ || tx.value<int>("select count(*)::int from done") >= events_;
      }
      if (!abandoned.empty() && random() % 8 == 0) {
        finish(c, abandoned.back());
        abandoned.pop_back();
      }
    }
  }
  /// Throws members out in all three ways.
  void disturb() {
    std::minstd_rand random(7);
    pg::Connection c("disturber", db_.conninfo());
    while (!over_) {
      pg::Transaction tx(c, pg::Mode::autocommit);
      auto member = tx.value<std::optional<std::string>>(
          "select max(split_part(co_name, '.', 2)) from (select co_name from pgq.consumer where co_name like 'm.%'"
          " order by random() limit 1) one");
      if (!member) continue;
      const char* ways[] = {"select pgq_coop.unregister_subconsumer('q', 'm', $1, 1)",
                            "select pgq_coop.unregister_subconsumer('q', 'm', $1, 2)",
                            "select pgq.unregister_consumer('q', 'm.' || $1)"};
      thrown_out_ += tx.value<int>(ways[random() % 3], *member);
    }
  }

  const Queue& db_;
  const int events_;
  std::mutex mutex_;
  std::string error_;
  std::atomic<bool> over_ = false;
  std::atomic<int> late_ = 0, thrown_out_ = 0;
};

}  // namespace

TEST_CASE("eight sessions call for the first time at once") { first_calls(Queue()); }

TEST_CASE("the same over the extension's schema pgq") {
  if (!have_extension()) return;
  first_calls(Queue(true));
}

TEST_CASE("sessions that work for the group at once get different batches") {
  for (bool extension : {false, true}) {
    if (extension && !have_extension()) continue;
    Queue db(extension);
    db.next("s0");
    for (auto data : {"a", "b", "c", "d", "e", "f", "g", "h"}) db.add(data);
    auto got = at_once(db.conninfo(), 8, [](int i) {
      return "select string_agg(ev_data, ' ') from pgq.get_batch_events(pgq_coop.next_batch('q', 'm', 's" +
             std::to_string(i) + "'))";
    });
    std::sort(got.begin(), got.end());
    CHECK(got == std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h"});
  }
}

TEST_CASE("a member that is finishing its batch is not dead, and nobody waits for it") {
  Queue db;
  db.next("a");
  db.add("one"), db.add("two");
  const std::string batch = db.next("a");
  pg::Connection owner("owner", db.conninfo());
  pg::Transaction tx(owner);
  CHECK(tx.value<int>("select pgq_coop.finish_batch($1)", batch) == 1);
  CHECK(db.data(db.next("b", "0")) == "two");
  tx.commit();
  CHECK(db.next("a", "1 hour") == "NULL");
}

TEST_CASE("a batch taken over can't be finished by its old owner") {
  Queue db;
  db.next("a");
  db.add("one");
  const std::string batch = db.next("a");
  pg::Connection sibling("sibling", db.conninfo());
  SUBCASE("the takeover comes first") {
    pg::Transaction tx(sibling);
    auto taken = tx.value<std::string>("select pgq_coop.next_batch('q', 'm', 'b', '0')");
    CHECK(taken != batch);
    auto late = db.blocked("select pgq_coop.finish_batch(" + batch + ")");
    tx.commit();
    CHECK(late.get() == "0");
    CHECK(db.data(taken) == "one");
    CHECK(db.finish(taken) == "1");
  }
  SUBCASE("the takeover is given up") {
    pg::Transaction tx(sibling);
    tx.exec("select pgq_coop.next_batch('q', 'm', 'b', '0')");
    auto late = db.blocked("select pgq_coop.finish_batch(" + batch + ")");
    tx.rollback();
    CHECK(late.get() == "1");
  }
  CHECK(db.next("b", "0") == "NULL");
  CHECK(db.query("select count(sub_batch) + count(sub_next_tick) from pgq.subscription") == "0");
}

TEST_CASE("unregistering a member while it finishes") {
  Queue db;
  db.next("a");
  db.add("one");
  const std::string batch = db.next("a");
  pg::Connection owner("owner", db.conninfo());
  pg::Transaction tx(owner);
  CHECK(tx.value<int>("select pgq_coop.finish_batch($1)", batch) == 1);
  auto removed = db.blocked("select pgq_coop.unregister_subconsumer('q', 'm', 'a', 2)");
  SUBCASE("it finishes: nothing is left behind") {
    tx.commit();
    CHECK(removed.get() == "1");
    CHECK(db.query("select string_agg(consumer_name, ' ') from pgq.get_consumer_info('q')") == "m");
    CHECK(db.next("b") == "NULL");
  }
  SUBCASE("it fails to: its batch goes to the next one") {
    tx.rollback();
    CHECK(removed.get() == "1");
    CHECK(db.finish(batch) == "0");
    const std::string again = db.next("b");
    CHECK(db.data(again) == "one");
    CHECK(db.finish(again) == "1");
  }
}

TEST_CASE("four workers, takeovers, late finishes and members thrown out: every event once") {
  constexpr int kBatches = 400;
  Queue db;
  db.next("first");
  db.query("create table done (ev_id bigint, batch bigint)");
  for (int i = 0; i < kBatches; ++i) {
    db.query("select pgq.insert_event('q', 't', g::text) from generate_series(1, 3) g");
    db.query("select pgq.force_tick('q'); select pgq.ticker('q')");
  }
  Workers workers(db, 3 * kBatches);
  CHECK(workers.run() == "");
  MESSAGE(workers.late() << " batches finished too late, " << workers.thrown_out() << " members thrown out");
  CHECK(workers.late() > 10);
  CHECK(workers.thrown_out() > 10);
  CHECK(db.query("select count(*), count(distinct ev_id) from done") ==
        std::to_string(3 * kBatches) + "|" + std::to_string(3 * kBatches));
  CHECK(db.query("select count(distinct e.ev_id) from pgq.event_template e join done using (ev_id)") ==
        std::to_string(3 * kBatches));
  db.query("select pgq.unregister_consumer('q', 'm')");
  CHECK(db.query("select (select count(*) from pgq.subscription), (select count(*) from pgq.consumer), (select "
                 "count(*) from pgq.retry_queue)") == "0|0|0");
}
