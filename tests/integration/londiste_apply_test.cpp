// What happens to rows on the root happens to them on the leaf: order, folding, transactions, triggers, errors.
#include <doctest/doctest.h>

#include "core/pg/copy.h"
#include "core/pg/transaction.h"
#include "tests/support/cascade.h"

using namespace skytools;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;

namespace {

/// Root and leaf with one table `t`, copied and running.
struct Pair : Cascade {
  explicit Pair(const std::string& ddl, const std::vector<std::string>& tables = {"t"})
      : Cascade({{"root"}, {"leaf", "root"}}) {
    everywhere(ddl);
    start_all();
    add_tables(tables);
  }
  /// Puts an event into the queue as a capture trigger would.
  void event(const std::string& type, const std::string& data, const std::string& table = "public.t") {
    query("root", "select pgq.insert_event('set', '" + type + "', '" + data + "', '" + table + "', null, null, null)");
  }
  /// Runs statements of one transaction and has them applied.
  void apply(const std::string& sql) {
    query("root", sql);
    sync("leaf");
  }
};

}  // namespace

TEST_CASE("many changes of one row within a batch end at the right row") {
  Pair c("create table t (a int, b text, v text, primary key (b, a))");
  c.query("root", "insert into t values (1, 'x', 'old'), (2, 'x', 'old'), (3, 'x', 'old'), (4, 'x', 'old')");
  c.sync("leaf");
  c.apply(
      "begin;"
      "insert into t values (10, 'n', 'new'); update t set v = 'newer' where a = 10; delete from t where a = 10;"
      "insert into t values (11, 'n', 'new'); update t set v = 'newer' where a = 11;"
      "insert into t values (12, 'n', 'a'); delete from t where a = 12; insert into t values (12, 'n', 'b');"
      "update t set v = 'u1' where a = 1; update t set v = null where a = 1; update t set v = '' where a = 1;"
      "delete from t where a = 2; insert into t values (2, 'x', 'again'); update t set v = 'and again' where a = 2;"
      "update t set v = 'x' where a = 3; delete from t where a = 3;"
      "delete from t where a = 4; insert into t values (4, 'x', 'z'); delete from t where a = 4;"
      "commit");
  CHECK(c.query("leaf", "select a, b, v from t order by a") == "1|x|\n2|x|and again\n11|n|newer\n12|n|b");
  CHECK(c.difference({"t"}) == "");
}

TEST_CASE("keys that differ only in how they are cut into columns are different rows") {
  Pair c("create table t (a text, b text, v int, primary key (a, b))");
  c.apply("insert into t values ('1:x', '', 1), ('1', ':x', 2), ('', '1:x', 3), ('1:', 'x', 4)");
  c.apply("begin; update t set v = v + 10; delete from t where a = ''; insert into t values ('', '', 5); commit");
  CHECK(c.difference({"t"}) == "");
}

TEST_CASE("keys that look different but are equal for the server") {
  Pair c("create table t (n numeric primary key, v int); create table f (n float8 primary key, v int)", {"t", "f"});
  c.apply(
      "begin; insert into t values (1.0, 1); insert into f values (0, 1);"
      "delete from t; insert into t values (1.00, 2); delete from f; insert into f values ('-0', 2); commit");
  CHECK(c.difference({"t", "f"}) == "");
  c.apply("begin; update t set v = 3; delete from t; insert into t values (1, 4); update t set v = 5; commit");
  CHECK(c.difference({"t", "f"}) == "");
}

TEST_CASE("values of another unique index wander between rows") {
  Pair c("create table t (id int primary key, u text unique, d int unique deferrable)");
  c.apply("insert into t values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");
  c.apply(
      "begin; update t set u = 'tmp' where id = 1; update t set u = 'a' where id = 2; update t set u = 'b' where id = "
      "1; commit");
  CHECK(c.difference({"t"}) == "");
  c.apply(
      "begin; delete from t where id = 3; insert into t values (4, 'c', 3); update t set u = 'x' where id = 4;"
      "insert into t values (3, 'c', 30); commit");
  CHECK(c.difference({"t"}) == "");
  c.apply(
      "update t set d = case id when 1 then 2 when 2 then 1 else d end");  // only checked at the end of the statement
  CHECK(c.difference({"t"}) == "");
  CHECK(c.error("leaf") == "");
}

TEST_CASE("TRUNCATE keeps its place among the rows") {
  Pair c("create table t (id int primary key, v text); create table u (id int primary key)", {"t", "u"});
  c.apply("insert into t select g, 'x' from generate_series(1, 50) g; insert into u values (1), (2)");
  c.apply(
      "begin; insert into t values (100, 'gone'); update t set v = 'gone'; truncate t; insert into t values (1, "
      "'one'), (2, 'two');"
      "update t set v = 'zwei' where id = 2; delete from t where id = 1; insert into u values (3); commit");
  CHECK(c.query("leaf", "select * from t") == "2|zwei");
  CHECK(c.difference({"t", "u"}) == "");
  c.apply("begin; truncate t, u; insert into u values (9); commit");
  CHECK(c.difference({"t", "u"}) == "");
}

TEST_CASE("what is rolled back never arrives, a savepoint's part neither") {
  Pair c("create table t (id int primary key, v text)");
  c.query("root", "begin; insert into t values (1, 'a'); rollback");
  c.apply(
      "begin; insert into t values (2, 'a'); savepoint s; insert into t values (3, 'b'); update t set v = 'b'; "
      "rollback to s;"
      "insert into t values (4, 'c'); savepoint s2; delete from t where id = 2; release s2; commit");
  CHECK(c.query("leaf", "select * from t order by id") == "4|c");
}

TEST_CASE("a transaction open over many ticks arrives whole, after it commits") {
  Pair c("create table t (id int primary key, v text)");
  pg::Connection writer("writer", c.conninfo("root"));
  pg::Transaction slow(writer);
  slow.exec("insert into t values (1, 'slow')");
  for (int i = 10; i < 15; ++i) {
    c.apply("insert into t values (" + std::to_string(i) + ", 'quick')");
    slow.exec("insert into t values ($1, 'slow')", 100 + i);
    CHECK(c.query("leaf", "select count(*) from t where v = 'slow'") == "0");
  }
  slow.exec("update t set v = 'changed by slow' where id = 10");
  slow.commit();
  c.sync("leaf");
  CHECK(c.difference({"t"}) == "");
  CHECK(c.query("leaf", "select count(*) from t") == "11");
}

TEST_CASE("statements of 10000 rows, and COPY into a captured table") {
  Pair c("create table t (id int primary key, v text)");
  c.apply("insert into t select g, md5(g::text) from generate_series(1, 10000) g");
  CHECK(c.difference({"t"}) == "");
  c.apply("update t set v = v || id where id % 3 = 0");
  c.apply("delete from t where id % 2 = 0");
  c.apply(
      "begin; update t set v = 'a' where id < 3000; delete from t where id < 1500; insert into t select g, 'new' from "
      "generate_series(20000, 30000) g; commit");
  CHECK(c.difference({"t"}) == "");
  {
    pg::Connection to("root", c.conninfo("root"));
    pg::Transaction tx(to);
    pg::CopyIn copy(tx, "copy t from stdin");
    for (int i = 50'000; i < 52'000; ++i)
      copy.put(std::to_string(i) + "\t" + (i % 3 ? "row\\t" + std::to_string(i) : "\\N") + "\n");
    copy.finish();
    tx.commit();
  }
  c.sync("leaf");
  CHECK(c.difference({"t"}) == "");
}

TEST_CASE("a change of the key is refused on the root, and rows with any other change go on") {
  Pair c("create table t (id int primary key, v text)");
  c.apply("insert into t values (1, 'a'), (2, 'b')");
  CHECK_THROWS_WITH(c.query("root", "update t set id = 3 where id = 1"),
                    doctest::Contains("primary key update not allowed"));
  c.apply("update t set id = id, v = 'c'");
  CHECK(c.difference({"t"}) == "");
}

TEST_CASE("triggers of the target that fire on replicated rows see every change in order") {
  Pair c(
      "create table t (id int primary key, v text); create table log (n serial, what text);"
      "create function note() returns trigger language plpgsql as $$ begin"
      "  insert into log (what) values (tg_op || ' ' || coalesce(new.id, old.id) || ' ' || coalesce(new.v, '-')); "
      "return null; end $$");
  c.query("leaf",
          "create trigger always after insert or update or delete on t for each row execute function note();"
          "alter table t enable always trigger always;"
          "create trigger ordinary after insert on t for each row execute function note()");
  c.stop("leaf"), c.start("leaf");
  c.apply(
      "begin; insert into t values (1, 'a'); insert into t values (2, 'b'); update t set v = 'c' where id = 1;"
      "delete from t where id = 2; delete from t where id = 1; insert into t values (2, 'd'); commit");
  CHECK(c.query("leaf", "select what from log order by n") ==
        "INSERT 1 a\nINSERT 2 b\nUPDATE 1 c\nDELETE 2 -\nDELETE 1 -\nINSERT 2 d");
  c.query("leaf", "alter table t disable trigger always; alter table t enable replica trigger ordinary; truncate log");
  c.stop("leaf"), c.start("leaf");
  c.apply("insert into t values (5, 'x'), (6, 'y')");
  CHECK(c.query("leaf", "select what from log order by n") == "INSERT 5 x\nINSERT 6 y");
  CHECK(c.difference({"t"}) == "");
}

TEST_CASE("all capture formats") {
  Cascade c({{"root"}, {"leaf", "root"}});
  const char* ddl =
      "(id int, \"Kéy\" text, n numeric, f float8, b bool, j jsonb, ts timestamptz, a text[], raw bytea, primary key "
      "(id, \"Kéy\"))";
  for (auto* table : {"partial", "encoded", "json"}) c.everywhere(std::string("create table ") + table + ddl);
  c.start_all();
  c.run("root", {"add-table", "partial", "--trigger-flags", "AIUDQ"});
  c.run("root", {"add-table", "encoded", "--trigger-flags", "AIUDL"});
  c.run("root", {"add-table", "json", "--trigger-flags", "AIUDJ"});
  c.run("leaf", {"add-table", "--all", "--wait-sync", "--timeout", "30s"});
  for (std::string t : {"partial", "encoded", "json"}) {
    CAPTURE(t);
    c.query(
        "root",
        "begin; insert into " + t +
            " values (1, 'a''b\\c', 1.50, 'NaN', true, '{\"x\": [1, \"y\"]}', '2024-01-01', '{a,NULL,\"b c\"}', "
            "'\\x00ff');"
            "insert into " +
            t +
            " (id, \"Kéy\") values (2, ''), (3, E'\\n&=+%');"
            "insert into " +
            t +
            " select g, 'many', g / 7.0, g / 7.0, g % 2 = 0, 'null', 'epoch', null, '' from generate_series(10, 500) g;"
            "update " +
            t +
            " set n = null, f = '-Infinity', b = not b, j = '\"text\"' where id < 20;"
            "update " +
            t + " set raw = 'x', a = '{}' where id = 2; delete from " + t + " where id > 490; commit");
  }
  c.sync("leaf");
  CHECK(c.difference({"partial", "encoded", "json"}) == "");
  CHECK(c.query("root",
                "select count(distinct left(ev_type, 1)) from pgq.event_template where ev_extra1 = 'public.json'") ==
        "1");
}

TEST_CASE("events of one table with different keys or written SQL keep their order") {
  Pair c("create table t (id int primary key, k int, v text)");
  // The primary key was changed on the root within one batch: the leaf still has the old one.
  c.query("root",
          "begin;"
          "select pgq.insert_event('set', 'I:id', 'id=1&k=10&v=first', 'public.t', null, null, null);"
          "select pgq.insert_event('set', 'U:k', 'id=1&k=10&v=second', 'public.t', null, null, null);"
          "select pgq.insert_event('set', 'U:id', 'id=1&k=10&v=third', 'public.t', null, null, null);"
          "commit");
  c.sync("leaf");
  CHECK(c.query("leaf", "select * from t") == "1|10|third");
  c.query("root",
          "begin;"
          "select pgq.insert_event('set', 'I', '(id,k,v) values (''2'',''20'',''sql'')', 'public.t', null, null, null);"
          "select pgq.insert_event('set', 'U:id', 'id=2&k=20&v=row', 'public.t', null, null, null);"
          "select pgq.insert_event('set', 'U', 'v=''sql again'' where id=''2''', 'public.t', null, null, null);"
          "select pgq.insert_event('set', 'I:id', 'id=3&k=30&v=x', 'public.t', null, null, null);"
          "select pgq.insert_event('set', 'D', 'id=''3''', 'public.t', null, null, null);"
          "select pgq.insert_event('set', 'I:id', 'id=3&k=30&v=y', 'public.t', null, null, null);"
          "commit");
  c.sync("leaf");
  CHECK(c.query("leaf", "select * from t order by id") == "1|10|third\n2|20|sql again\n3|30|y");
  CHECK_FALSE(c.worker("leaf").logged("error"));  // a wrong order could be mended by applying one by one
}

TEST_CASE("a column the target lacks stops it with a clear error, and adding the column lets it go on") {
  Pair c("create table t (id int primary key)");
  c.query("root", "alter table t add column fresh text");
  c.query("root", "insert into t values (1, 'x')");
  c.tick();
  REQUIRE(eventually(seconds(20), [&] { return c.error("leaf").find("has no column fresh") != std::string::npos; }));
  CHECK(c.error("leaf").find("public.t") != std::string::npos);
  CHECK(c.run("root", {"status"}).find("has no column fresh") != std::string::npos);
  c.query("leaf", "alter table t add column fresh text");
  c.sync("leaf");
  CHECK(c.difference({"t"}) == "");
  CHECK(eventually(seconds(5), [&] { return c.error("leaf") == ""; }));
}

TEST_CASE("a row of somebody else in the way names the event, and once it is gone replication goes on") {
  Pair c("create table t (id int primary key, v text)");
  c.query(
      "leaf",
      "alter table t disable trigger user; insert into t values (77, 'foreign'); alter table t enable trigger user");
  c.query("root", "insert into t select g, 'x' from generate_series(70, 80) g");
  std::string ev = c.query("root", "select ev_id from pgq.event_template where ev_data like 'id=77&%'");
  c.tick();
  bool told =
      eventually(seconds(20), [&] { return c.error("leaf").find("[ev_id=" + ev + ",ev_txid=") != std::string::npos; });
  CHECK_MESSAGE(told, c.error("leaf"));
  CHECK(c.error("leaf").find("23505") != std::string::npos);
  CHECK(c.query("leaf", "select count(*) from t") == "1");
  c.query("leaf", "begin; set local session_replication_role = replica; delete from t; commit");
  c.sync("leaf");
  CHECK(c.difference({"t"}) == "");
  CHECK(eventually(seconds(5), [&] { return c.error("leaf") == ""; }));
}

TEST_CASE("rows missing on the target are told, not fatal") {
  Pair c("create table t (id int primary key, v text)");
  c.apply("insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
  c.query("leaf", "begin; set local session_replication_role = replica; delete from t where id < 3; commit");
  c.apply("begin; update t set v = 'x'; delete from t where id = 2; commit");
  CHECK(c.query("leaf", "select * from t") == "3|x");
  CHECK(eventually(seconds(5), [&] { return c.worker("leaf").logged("found no row"); }));
}

TEST_CASE("an event nobody knows stops the worker instead of being skipped") {
  Pair c("create table t (id int primary key, v text)");
  std::string type, message;
  SUBCASE("unknown type") { type = "no.such", message = "unhandled event type in queue: no.such"; }
  SUBCASE("unknown cascade event") { type = "pgq.no-such", message = "unknown cascade event: pgq.no-such"; }
  SUBCASE("system event of another queue") { type = "pgq.global-watermark", message = "bad event in queue set"; }
  SUBCASE("bad row") { type = "I:id", message = "bad escape"; }
  std::string before = std::to_string(c.position("leaf"));
  c.event(type, type == "I:id" ? "id=%4" : "1");
  c.tick();
  bool told = eventually(seconds(20), [&] { return c.error("leaf").find(message) != std::string::npos; });
  CHECK_MESSAGE(told, c.error("leaf"));
  CHECK(c.query("leaf", "select count(*) from t") == "0");
}

TEST_CASE("another table's and another database's events are left alone") {
  Pair c("create table t (id int primary key); create table other (id int primary key)");
  c.run("root", {"add-table", "other"});
  c.apply("begin; insert into other values (1); insert into t values (1); commit");
  CHECK(c.query("leaf", "select (select count(*) from t), (select count(*) from other)") == "1|0");
}

TEST_CASE("one row whose key is written in different time zones is still one row") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.everywhere("create table t (at timestamptz primary key, v text)");
  c.start_all();
  c.add_tables({"t"});
  c.query("root",
          "begin; set local timezone = 'UTC'; insert into t values ('2026-01-02 03:04:05+00', 'a');"
          "set local timezone = 'Asia/Tokyo'; update t set v = 'b'; commit");
  c.sync("leaf");
  CHECK(c.query("leaf", "select v from t") == "b");
}

TEST_CASE("a pause that is asked for while batches run holds back every later batch once it is acknowledged") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  c.query("leaf",
          "select * from pgq_node.set_consumer_paused('set', (select worker_name from pgq_node.node_info), true)");
  REQUIRE(eventually(std::chrono::seconds(20),
                     [&] { return c.query("leaf", "select uptodate from pgq_node.local_state") == "t"; }));
  auto position = c.position("leaf");
  c.query("root", "insert into t values (1)");
  c.tick();
  c.tick();
  CHECK(c.position("leaf") == position);
  c.query("leaf",
          "select * from pgq_node.set_consumer_paused('set', (select worker_name from pgq_node.node_info), false)");
  c.sync("leaf");
  CHECK(c.query("leaf", "select count(*) from t") == "1");
}
