// The initial copy: rows, structure, foreign keys, options, and what goes on meanwhile.
#include <doctest/doctest.h>

#include "tests/support/cascade.h"
#include "tests/support/load.h"

using namespace skytools;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;

TEST_CASE("tables are copied while writes go on, to a branch and from there to a leaf") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.query("root", test::kLoadTables);
  c.query("root", test::kLoadRows);
  c.query("root", "create index stock_n on stock (n)");
  c.start_all();
  test::Load load(c.conninfo("root"));
  c.add_tables({"stock", "sales"}, {"--create"});
  load.stop();
  CHECK(load.transactions() > 0);
  c.sync_all();
  CHECK(c.difference({"stock", "sales"}) == "");
  CHECK(eventually(seconds(20), [&] { return c.leftovers().empty(); }));
  // Once no event of the copy's time can come any more, its snapshot goes.
  CHECK(eventually(seconds(20), [&] {
    c.sync_all();
    return c.query("leaf", "select count(*) from londiste.table_info where custom_snapshot is not null") == "0";
  }));
  for (auto* node : {"branch", "leaf"}) CHECK(c.worker(node).log().find("error") == std::string::npos);
}

TEST_CASE("a leaf that lags and takes several ticks at once hands tables over exactly once") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root", test::kLoadTables);
  c.query("root", test::kLoadRows);
  c.start_all();
  c.add_tables({"stock"}, {"--create"});
  c.stop("leaf");
  // The leaf cannot follow: a backlog of some seconds stays, and a new table has to be handed over in the middle of it.
  c.query("leaf",
          "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.001); return new; end';"
          "create trigger slow before insert or update on stock for each row execute function slow();"
          "alter table stock enable always trigger slow");
  test::Load load(c.conninfo("root"));
  REQUIRE(eventually(seconds(60), [&] { return load.transactions() > 5; }));
  c.run("root", {"add-table", "sales"});
  c.run("leaf", {"add-table", "sales", "--create"});
  c.start("leaf", {}, {"--apply-catch-up", "200"});
  CHECK(eventually(seconds(60), [&] {
    return c.query("leaf", "select merge_state from londiste.table_info where table_name = 'public.sales'") == "ok";
  }));
  load.stop();
  c.sync_all();
  CHECK(c.difference({"stock", "sales"}) == "");
  CHECK(eventually(seconds(20), [&] { return c.leftovers().empty(); }));
  CHECK(c.worker("leaf").log().find("error") == std::string::npos);
}

TEST_CASE("a column computed on the root and plain on the leaf is copied and kept up to date") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root", "create table t (id int primary key, a int, b int generated always as (a * 2) stored)");
  c.query("leaf", "create table t (id int primary key, a int, b int)");
  c.query("root", "insert into t values (1, 10), (2, 20)");
  c.start_all();
  c.add_tables({"t"});
  c.query("root", "update t set a = 11 where id = 1; insert into t values (3, 30)");
  c.sync("leaf");
  CHECK(c.same("leaf", "select * from t order by id"));
}

TEST_CASE("indexes and constraints of the target are there after a large copy") {
  Cascade c({{"root"}, {"leaf", "root"}});
  const char* ddl =
      "create table t (id int primary key, a int not null, b text constraint b_short check (length(b) < 100), c int,"
      " constraint a_once unique (a)); create index t_b on t (lower(b)) where c > 0; create unique index t_c on t (c); "
      "create index t_a on t (a, b);";
  c.everywhere(ddl);
  c.query("leaf", "alter table t cluster on t_a; comment on index t_c is 'stays'");
  c.query("root", "insert into t select g, g, 'b' || g, g from generate_series(1, 30000) g; analyze t");
  std::string facts =
      "select string_agg(pg_get_indexdef(indexrelid), E'\\n' order by indexrelid::regclass::text) || (select "
      "string_agg(conname || pg_get_constraintdef(oid), "
      "E'\\n' order by conname) from pg_constraint where conrelid = 't'::regclass) from pg_index where indrelid = "
      "'t'::regclass";
  std::string before = c.query("leaf", facts);
  c.start_all();
  c.add_tables({"t"});
  CHECK(c.query("leaf", facts) == before);
  CHECK(c.difference({"t"}) == "");
  CHECK(c.worker("leaf").logged("creating"));
}

TEST_CASE("foreign keys are dropped for the copy and come back, whatever the order of the tables") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.everywhere(
      "create table parent (id int primary key, boss int references parent);"
      "create table \"Child\" (id int primary key, p int not null constraint \"to Parent\" references parent on delete "
      "cascade deferrable)");
  c.query("root", "insert into parent values (1, null), (2, 1); insert into \"Child\" values (1, 1), (2, 2)");
  std::string keys =
      "select string_agg(conname || ' ' || pg_get_constraintdef(oid) || convalidated, ', ' order by conname) from "
      "pg_constraint where contype = 'f'";
  std::string wanted = c.query("leaf", keys);
  c.start_all();
  c.run("root", {"add-table", "public.Child", "parent"});
  c.run("leaf", {"add-table", "public.Child", "--wait-sync", "--timeout", "30s"});
  // The other side is not replicated yet: the key has to wait.
  CHECK(c.query("leaf", "select count(*) from londiste.pending_fkeys") != "0");
  c.run("leaf", {"add-table", "parent", "--wait-sync", "--timeout", "30s"});
  c.sync("leaf");
  CHECK(eventually(seconds(20), [&] {
    c.sync("leaf");
    return c.query("leaf", keys) == wanted;
  }));
  CHECK(c.query("leaf", "select count(*) from londiste.pending_fkeys") == "0");
  c.query("root",
          "begin; insert into parent values (3, 2); insert into \"Child\" values (3, 3); delete from parent where id = "
          "2 and false; commit");
  c.query("root", "begin; update parent set boss = null; delete from parent where id = 1; commit");
  c.sync("leaf");
  CHECK(c.difference({"parent", "\"Child\""}) == "");
}

TEST_CASE("a foreign key that the rows violate stays pending and stops nothing") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root",
          "create table parent (id int primary key); create table child (id int primary key, p int); insert into child "
          "values (1, 99)");
  c.query("leaf",
          "create table parent (id int primary key); create table child (id int primary key, p int references parent)");
  c.start_all();
  c.add_tables({"parent", "child"});
  CHECK(eventually(seconds(20), [&] {
    c.sync("leaf");
    return c.worker("leaf").logged("cannot be restored");
  }));
  CHECK(c.query("leaf", "select count(*) from londiste.pending_fkeys") == "1");
  c.query("root", "insert into child values (2, 98)");
  c.sync("leaf");
  CHECK(c.difference({"child"}) == "");
}

TEST_CASE("--expect-sync copies nothing, --skip-truncate keeps rows, --dest-table renames") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root",
          "create table a (id int primary key, v text); create table b (id int primary key, v text); create table d "
          "(id int primary key, v text)");
  c.query("leaf",
          "create table a (id int primary key, v text); create table b (id int primary key, v text);"
          "create schema other; create table other.\"D d\" (id int primary key, v text)");
  for (auto* table : {"a", "b", "d"})
    c.query("root", std::string("insert into ") + table + " values (1, 'root'), (2, 'root')");
  c.query("leaf", "insert into a values (1, 'leaf'); insert into b values (10, 'leaf')");
  c.start_all();
  c.run("root", {"add-table", "a", "b", "d"});
  c.run("leaf", {"add-table", "a", "--expect-sync"});
  c.run("leaf", {"add-table", "b", "--skip-truncate", "--wait-sync", "--timeout", "30s"});
  c.run("leaf", {"add-table", "d", "--dest-table", "other.D d", "--wait-sync", "--timeout", "30s"});
  c.query("root", "update a set v = 'changed' where id = 1");
  c.query(
      "root",
      "begin; insert into d values (3, 'x'); delete from d where id = 1; update d set v = 'y' where id = 2; commit");
  c.sync("leaf");
  CHECK(c.query("leaf", "select * from a") == "1|changed");
  CHECK(c.query("leaf", "select * from b order by id") == "1|root\n2|root\n10|leaf");
  CHECK(c.query("leaf", "select * from other.\"D d\" order by id") == "2|y\n3|x");
  c.query("root", "begin; truncate d; insert into d values (7, 'after'); commit");
  c.sync("leaf");
  CHECK(c.query("leaf", "select * from other.\"D d\"") == "7|after");
}

TEST_CASE("a table partitioned on the root goes into a plain one and into a partitioned one") {
  Cascade c({{"root"}, {"leaf", "root"}, {"leaf2", "root"}});
  const char* parted =
      "create table t (id int, day date, v text, primary key (id, day)) partition by range (day);"
      "create table t_1 partition of t for values from ('2024-01-01') to ('2024-02-01');"
      "create table t_2 partition of t for values from ('2024-02-01') to ('2024-03-01');"
      "create table t_rest partition of t default";
  c.query("root", parted);
  c.query("leaf", "create table t (id int, day date, v text, primary key (id, day))");
  c.query("leaf2", parted);
  c.query("root", "insert into t select g, '2024-01-01'::date + g, 'x' from generate_series(1, 100) g");
  c.start_all();
  c.add_tables({"t"});
  CHECK(c.difference({"t"}) == "");
  c.query("root",
          "begin; insert into t values (200, '2024-01-15', 'new'), (201, '2025-01-01', 'rest'); update t set v = 'y' "
          "where id % 3 = 0;"
          "delete from t where id % 7 = 0; commit");
  c.sync_all();
  CHECK(c.difference({"t"}) == "");
  c.query("root", "insert into t_2 values (300, '2024-02-20', 'direct')");
  c.query("root", "insert into t select g, '2024-02-10', 'many' from generate_series(1000, 1500) g");
  c.sync_all();
  CHECK(c.difference({"t"}) == "");
}

TEST_CASE("a column without a partner is named and left out of the copy") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root", "create table t (id int primary key, only_root text, v text); insert into t values (1, 'r', 'v')");
  c.query("leaf", "create table t (id int primary key, only_leaf text default 'l', v text)");
  c.start_all();
  c.add_tables({"t"});
  CHECK(c.query("leaf", "select * from t") == "1|l|v");
  CHECK(c.worker("leaf").logged("column only_root does not exist on subscriber"));
  CHECK(c.worker("leaf").logged("column only_leaf does not exist on provider"));
}

TEST_CASE("copies of sequences stay ahead of the root's") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.query("root",
          "create sequence s; create sequence \"Odd Seq\" increment 5; select nextval('s'); select setval('\"Odd "
          "Seq\"', 1000)");
  c.start_all();
  c.run("root", {"add-seq", "s", "public.Odd Seq"});
  c.run("branch", {"add-seq", "--all", "--create"});
  c.run("leaf", {"add-seq", "--all", "--create"});
  auto value = [&](const char* node, const char* sequence) {
    return std::stoll(c.query(node, std::string("select last_value from ") + sequence));
  };
  for (auto* node : {"branch", "leaf"})
    CHECK(eventually(seconds(20),
                     [&] { return value(node, "s") > value("root", "s") && value(node, "\"Odd Seq\"") > 1000; }));
  c.query("root", "select setval('s', 25000)");
  CHECK(eventually(seconds(30), [&] { return value("leaf", "s") > 25000; }));
  CHECK(value("branch", "s") >= value("leaf", "s"));
}

TEST_CASE("several copies run beside each other, in the order of registration") {
  Cascade c({{"root"}, {"leaf", "root"}});
  std::vector<std::string> tables;
  for (int i = 0; i < 8; ++i) {
    std::string t = "t" + std::to_string(i);
    c.query("root", "create table " + t + " (id int primary key, v text); insert into " + t +
                        " select g, 'x' from generate_series(1, 500) g");
    tables.push_back(t);
  }
  c.start("root");
  c.start("leaf", {}, {"--copy-parallel", "3"});
  c.add_tables({"t*", "!t7"}, {"--create"});
  CHECK(c.query("leaf", "select count(*) from londiste.table_info where local and merge_state = 'ok'") == "7");
  tables.pop_back();
  CHECK(c.difference(tables) == "");
  CHECK(c.query("leaf", "select to_regclass('t7') is null") == "t");
}

TEST_CASE("a table that is not usable on the provider waits, then comes") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  c.query("root", "insert into t values (1), (2)");
  c.start("root"), c.start("leaf");
  c.run("root", {"add-table", "t"});
  c.run("branch", {"add-table", "t"});
  c.run("leaf", {"add-table", "t"});
  CHECK(eventually(seconds(20), [&] { return c.worker("leaf").logged("not OK on provider, waiting"); }));
  c.start("branch");
  c.run("leaf", {"wait-sync", "--timeout", "30s"});
  c.sync_all();
  CHECK(c.difference({"t"}) == "");
}
