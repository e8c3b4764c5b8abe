#include "tests/support/queue_story.h"

#include <algorithm>
#include <memory>
#include <random>

namespace skytools::test {

namespace {

/// One producer of the random test: some events in a transaction, with savepoints and aborts.
struct Writer {
  Writer(const std::string& conninfo, pg::Mode mode) : session(conninfo, mode) {}
  Session session;
  std::vector<std::string> pending;  ///< inserted, neither committed nor rolled back
  std::size_t savepoint_at = 0;
  bool has_savepoint = false;

  void end() {
    pending.clear();
    has_savepoint = false;
  }
};

}  // namespace

Story random_story(const Queue& db, unsigned seed, int steps) {
  db.query("update pgq.queue set queue_ticker_max_count = 1");
  std::mt19937 random(seed);
  auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };

  std::vector<std::unique_ptr<Writer>> writers;
  for (int i = 0; i < 10; ++i)
    writers.push_back(
        std::make_unique<Writer>(db.conninfo(), i < 6 ? pg::Mode::read_write : pg::Mode::repeatable_read));
  Session admin(db.conninfo(), pg::Mode::autocommit);
  Story story;

  auto commit = [&](Writer& w) {
    w.session.commit();
    story.committed.insert(story.committed.end(), w.pending.begin(), w.pending.end());
    w.end();
  };
  auto insert = [&](Writer& w, const std::string& data) {
    std::string state = w.session.sqlstate_of("select pgq.insert_event('q', 't', $1)", data);
    if (state == "") {
      w.pending.push_back(data);
      return;
    }
    REQUIRE(state == "40001");
    ++story.refused;
    w.end();
    // the retry in a new transaction goes through
    REQUIRE(w.session.sqlstate_of("select pgq.insert_event('q', 't', $1)", data) == "");
    w.pending.push_back(data);
  };
  auto savepoint = [&](Writer& w) {
    if (w.has_savepoint && below(2)) {
      w.session.run("rollback to s");
      w.pending.resize(w.savepoint_at);
    } else {
      w.session.run("savepoint s");
      w.savepoint_at = w.pending.size();
      w.has_savepoint = true;
    }
  };
  auto consume = [&] {
    const std::string batch = admin.ask("select pgq.next_batch('q', 'c')");
    if (batch == "NULL") return false;
    story.lists += admin.ask("select pgq.batch_event_sql($1) like '%ev_txid in (%'", batch) == "t";
    const std::string seen = admin.ask("select string_agg(ev_data, ' ') from pgq.get_batch_events($1)", batch);
    if (seen != "NULL")
      for (std::size_t from = 0, to; from <= seen.size(); from = to + 1) {
        to = std::min(seen.find(' ', from), seen.size());
        story.delivered.push_back(seen.substr(from, to - from));
      }
    admin.ask("select pgq.finish_batch($1)", batch);
    return true;
  };
  auto table = [&] { return admin.ask("select queue_cur_table from pgq.queue"); };
  auto rotate = [&] {
    const std::string before = table();
    admin.ask("select pgq.maint_rotate_tables_step1('q')");
    story.rotations += table() != before;
  };

  Writer& slow = *writers[0];  // its transaction is open for a third of the story, then it is an event of the list part
  insert(slow, "slow");
  for (int step = 1; step <= steps; ++step) {
    Writer& w = *writers[1 + static_cast<std::size_t>(below(9))];
    const int dice = below(100);
    if (dice < 36)
      insert(w, std::to_string(step));
    else if (dice < 40)
      w.session.run("select from pgq.queue");  // an old view later, in REPEATABLE READ
    else if (dice < 46)
      savepoint(w);
    else if (dice < 60)
      commit(w);
    else if (dice < 64)
      w.session.rollback(), w.end();
    else if (dice < 78)
      admin.ask("select pgq.ticker('q')");
    else if (dice < 90)
      consume();
    else if (dice < 95)
      rotate();
    else
      admin.ask("select pgq.maint_rotate_tables_step2()");
    // at times all events are committed, or there would be few rotations
    if (step % 60 == 0)
      for (auto& open : writers)
        if (open.get() != &slow && !open->pending.empty()) commit(*open);
    if (step == steps / 3) {
      for (int i = 0; i < 120; ++i) admin.ask("select txid_current()");
      commit(slow);
    }
  }
  for (auto& w : writers) commit(*w);
  db.tick();
  while (consume()) {
  }
  std::sort(story.committed.begin(), story.committed.end());
  std::sort(story.delivered.begin(), story.delivered.end());
  return story;
}

}  // namespace skytools::test
