// What a consumer keeps in the database it writes to is found at once, however many old versions a held xmin leaves.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/cascade/node.h"
#include "tests/support/queue.h"

using namespace skytools;
using test::Session;

namespace {

struct Target : test::Queue {
  Target() {
    pg::Connection c("test", conninfo());
    schema::install(c, {});
    query("select pgq_node.register_location('s', 'n', 'host=here', false)");
    query("select pgq_node.create_node('s', 'root', 'n', 'w', null, null, null)");
    query("update pgq_node.local_state set last_tick_id = 0");
  }
};

/// Each keeps a number and reads it.
struct Kept {
  const char *table, *move, *read;
};
constexpr Kept kKept[] = {
    {"pgq_node.local_state", "pgq_node.set_consumer_completed('s', 'w', $1::bigint)",
     "(select completed_tick from pgq_node.get_consumer_state('s', 'w'))"},
    {"pgq_ext.completed_tick", "pgq_ext.set_last_tick('c', $1::bigint)", "pgq_ext.get_last_tick('c')"},
    {"pgq_ext.completed_batch", "pgq_ext.set_batch_done('c', $1::bigint)",
     "(select n from generate_series(1, 30010) n where n > 29990 and pgq_ext.is_batch_done('c', n))"},
};

std::string with(std::string sql, const std::string& n) { return sql.replace(sql.find("$1"), 2, n); }
std::string with(std::string sql, int n) { return with(std::move(sql), std::to_string(n)); }

int pages(Session& s, const std::string& sql) {
  auto plan = nlohmann::json::parse(s.ask("explain (analyze, buffers, timing off, format json) select " + sql));
  return plan.at(0).at("Plan").at("Shared Hit Blocks").get<int>();
}

}  // namespace

TEST_CASE("rows that every batch updates are found at their place") {
  Target db;
  Session holder(db.conninfo(), pg::Mode::repeatable_read), worker(db.conninfo()), other(db.conninfo());
  holder.ask("select 1");
  for (auto& kept : kKept) {
    INFO(std::string(kept.move));
    auto move = [&](Session& s, int n) { s.ask("select " + with(kept.move, n)); };
    worker.run("do $$ begin for n in 1..30000 loop perform " + with(kept.move, "n") + "; end loop; end $$");
    worker.commit();
    const int all = std::stoi(db.query(std::string("select pg_relation_size('") + kept.table + "') / 8192"));
    REQUIRE(all > 150);
    pages(worker, with(kept.move, 30001));  // reads the catalogue
    CHECK(pages(worker, with(kept.move, 30002)) < 20);
    CHECK(worker.ask(std::string("select ") + kept.read) == "30002");
    worker.rollback();
    // What the transaction knew of places is gone with it.
    CHECK(worker.ask(std::string("select ") + kept.read) == "30000");
    CHECK(pages(worker, with(kept.move, 30003)) < 20);
    worker.commit();
    // Who comes anew looks by the key, and so does who was overtaken.
    CHECK(other.ask(std::string("select ") + kept.read) == "30003");
    move(other, 30004);
    other.commit();
    CHECK(worker.ask(std::string("select ") + kept.read) == "30004");
    move(worker, 30005);
    worker.commit();
    CHECK(pages(worker, with(kept.move, 30006)) < 20);
    worker.commit();
    CHECK(other.ask(std::string("select ") + kept.read) == "30006");
    other.commit();
  }
}

TEST_CASE("a consumer's name is found at its place after a renewal of its id") {
  test::Queue db;
  Session holder(db.conninfo(), pg::Mode::repeatable_read), worker(db.conninfo());
  holder.ask("select 1");
  db.query(
      "do $$ begin for n in 1..30000 loop update pgq.consumer set co_name = co_name; "
      "update pgq.subscription set sub_active = now(); end loop; end $$");
  REQUIRE(std::stoi(db.query("select pg_relation_size('pgq.consumer') / 8192")) > 100);
  const std::string next = "pgq.next_batch('q', 'c')";
  auto batch = [&] {
    db.insert("x");
    db.tick();
    const std::string id = worker.ask("select " + next);
    CHECK(worker.ask("select pgq.finish_batch($1::bigint)", id) == "1");
    worker.commit();
  };
  batch();
  CHECK(pages(worker, next) > 100);
  db.query("select pgq.seq_setval(queue_tick_seq, 200) from pgq.queue");  // past a 128th
  batch();
  CHECK(pages(worker, next) < 40);
  batch();
}

TEST_CASE("two sessions that move one position at once: the second one waits, and both count") {
  Target db;
  Session first(db.conninfo()), second(db.conninfo());
  for (auto& kept : kKept) {
    INFO(std::string(kept.move));
    for (auto* s : {&first, &second}) {
      s->ask("select " + with(kept.move, 29991));
      s->commit();
    }
    first.ask("select " + with(kept.move, 29992));
    db.contended(second, "select " + with(kept.move, 29993), [&] { first.commit(); });
    second.commit();
    CHECK(first.ask(std::string("select ") + kept.read) == "29993");
    first.commit();
  }
  // The same batch twice is done once.
  first.ask("select pgq_ext.set_batch_done('c', 29994)");
  CHECK(db.contended(second, "select pgq_ext.set_batch_done('c', 29994)", [&] { first.commit(); }) == "f");
}

TEST_CASE("a worker reads its position the same way") {
  Target db;
  pg::Connection mine("mine", db.conninfo()), others("others", db.conninfo());
  auto at = [&](pg::Connection& c, bool lock) {
    pg::Transaction tx(c);
    auto p = cascade::stored_position(tx, "s", "w", lock);
    CHECK(p.provider_node == "n");
    CHECK_FALSE(p.paused);
    tx.commit();
    return p.completed_tick;
  };
  auto move = [](pg::Connection& c, std::int64_t tick) {
    pg::Transaction tx(c);
    cascade::run_command(tx, "pgq_node.set_consumer_completed($1, $2, $3)", {"s", "w", tick});
    tx.commit();
  };
  CHECK(at(mine, true) == 0);
  move(mine, 5);
  CHECK(at(mine, true) == 5);
  CHECK(at(others, false) == 5);
  move(others, 6);
  CHECK(at(mine, true) == 6);
  CHECK(at(others, true) == 6);
  pg::Transaction tx(mine);
  CHECK_THROWS_WITH_AS(cascade::stored_position(tx, "s", "nobody", true), doctest::Contains("unknown consumer nobody"),
                       Error);
}
