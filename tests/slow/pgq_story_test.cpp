// Batches hold every committed event exactly once: a thousand random schedules, and writers let loose beside the real
// ticker.
#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "tests/support/queue_story.h"

using namespace skytools;
using test::Queue, test::Session;

namespace {

using Strings = std::vector<std::string>;

/// One producer: transactions of some events with savepoints and aborts; every third writer in REPEATABLE READ, every
/// fourth with transactions that stay open for a while. Refused transactions are forgotten, as a producer would do that
/// does not retry.
struct Writer {
  const Queue& db;
  const int number;
  const std::atomic<bool>& stop;
  Strings committed = {};
  int refused = 0;

  void run() {
    std::mt19937 random(static_cast<unsigned>(number));
    auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    Session session(db.conninfo(), number % 3 == 0 ? pg::Mode::repeatable_read : pg::Mode::read_write);
    for (int round = 0; !stop; ++round) {
      Strings pending;
      bool alive = true;
      auto insert = [&](int i) {
        std::string data = std::to_string(number) + "." + std::to_string(round) + "." + std::to_string(i);
        std::string state = session.sqlstate_of("select pgq.insert_event('q', 't', $1)", data);
        if (state == "40001") ++refused;
        alive = state.empty();
        if (alive) pending.push_back(data);
        if (!alive && state != "40001") throw Error("writer failed: " + state);
      };
      for (int i = 0, events = 1 + below(6); i < events && alive; ++i) {
        insert(i);
        if (alive && below(5) == 0) {
          session.run("savepoint s");
          auto kept = pending;
          insert(100 + i);
          if (alive && below(2)) session.run("rollback to s"), pending = kept;
        }
        if (alive && number % 4 == 0 && below(4) == 0)
          session.run("select pg_sleep(0.0" + std::to_string(1 + below(9)) + ")");
      }
      if (!alive) continue;
      if (below(8) == 0) {
        session.rollback();
        continue;
      }
      session.commit();
      committed.insert(committed.end(), pending.begin(), pending.end());
    }
    session.rollback();
  }
};

}  // namespace

TEST_CASE("a thousand random schedules") {
  Queue db;
  int refused = 0, rotations = 0, lists = 0;
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    INFO("seed " << seed);
    db.recreate();
    test::Story story = test::random_story(db, seed, 250);
    REQUIRE(story.delivered == story.committed);
    refused += story.refused, rotations += story.rotations, lists += story.lists;
  }
  CHECK(refused > 100);
  CHECK(rotations > 1000);
  CHECK(lists > 100);
}

TEST_CASE("writers let loose beside the real ticker, with rotations all the time") {
  Queue db;
  test::Background ticker({"ticker", "--db", db.conninfo(), "--maint-period", "100ms"});
  std::atomic<bool> stop = false;
  std::vector<Writer> writers;
  for (int i = 1; i <= 10; ++i) writers.push_back({db, i, stop});
  std::vector<std::thread> threads;
  for (auto& w : writers) threads.emplace_back([&w] { w.run(); });

  Strings delivered, committed;
  std::set<std::string> tables;
  Deadline end(std::chrono::seconds(30));
  while (!end.passed()) {
    auto some = db.drain();
    delivered.insert(delivered.end(), some.begin(), some.end());
    tables.insert(db.table());
  }
  stop = true;
  for (auto& t : threads) t.join();
  int refused = 0;
  for (auto& w : writers) {
    committed.insert(committed.end(), w.committed.begin(), w.committed.end());
    refused += w.refused;
  }
  bool all = test::eventually(std::chrono::seconds(20), [&] {
    auto some = db.drain();
    delivered.insert(delivered.end(), some.begin(), some.end());
    return delivered.size() >= committed.size();
  });
  CHECK(all);
  std::sort(committed.begin(), committed.end());
  std::sort(delivered.begin(), delivered.end());
  CHECK(committed.size() > 10000);
  CHECK(delivered == committed);
  CHECK(tables.size() == 3);  // else the test has missed what it is for
  CHECK(refused > 0);
}
