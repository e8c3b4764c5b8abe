// Initial copies of the parts of a merged table: side by side into one table, while writes go on, whatever is killed.
#include <doctest/doctest.h>

#include "tests/support/cascade.h"
#include "tests/support/load.h"
#include "tests/support/merge.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;
using test::kWorker;
using test::Merge;

namespace {

constexpr const char* kTable =
    "create table m (part text, id int, n int not null, primary key (part, id)); create index m_n on m (n)";

/// The parts share ids; their rows differ by `part`, which each shard fills in by itself.
constexpr const char* kScript =
    "\\set id random(1, 3000)\n"
    "begin;\n"
    "insert into m (id, n) values (:id, 1) on conflict (part, id) do update set n = m.n + 1;\n"
    "update m set n = n + :id where id between :id and :id + 3;\n"
    "delete from m where id = :id + 7;\n"
    "end;\n";

struct Merged : Merge {
  explicit Merged(bool with_mirror) : Merge(with_mirror) {
    everywhere(kTable);
    for (auto* part : {"p1", "p2"}) {
      query(shard(part), std::string("alter table m alter part set default '") + part + "'");
      query(shard(part), "insert into m (id, n) select g, g from generate_series(1, 3000) g");
    }
    start_all();
    for (auto* part : {"p1", "p2"}) {
      run("londiste", shard(part), part, {"add-table", "m"});
      reach("hub", part, tick(shard(part), part));
      if (with_mirror) reach("mirror", part, tick(shard(part), part));
    }
  }
  std::string rows_of(const std::string& db, const std::string& part) const {
    return query(db, "select count(*), sum(hashtextextended(m::text, 0)) from m where part = '" + part + "'");
  }
  void check_equal(const std::vector<std::string>& databases) const {
    for (auto& db : databases)
      for (std::string part : {"p1", "p2"}) {
        INFO(db << " " << part);
        CHECK(rows_of(db, part) == rows_of(shard(part), part));
      }
    CHECK(query("hub", "select count(*) from pg_index where indrelid = 'm'::regclass") == "2");
    CHECK(query("hub", "select count(*) from londiste.table_info where dropped_ddl is not null") == "0");
  }
  std::string states(const std::string& db) const {
    return query(db,
                 "select string_agg(queue_name || ':' || coalesce(merge_state, 'NULL'), ' ' order by queue_name) from "
                 "londiste.table_info where table_name = 'public.m'");
  }
  bool in_sync(const std::string& db) const { return states(db) == "all:ok p1:ok p2:ok"; }
  bool left_copies() const {
    std::string consumers = "select count(*) from pgq_node.local_state where consumer_name like '%.copy.%'";
    return query("hub", consumers) != "0";
  }
};

}  // namespace

TEST_CASE("two shards are copied into one table at the same time while writes go on") {
  Merged m(true);
  test::Load load1(m.conninfo("s1"), 100, kScript), load2(m.conninfo("s2"), 100, kScript);
  m.run("londiste", "hub", "p1", {"add-table", "m", "--merge-all"});
  m.run("londiste", "mirror", "p2", {"add-table", "m", "--merge-all"});
  for (auto* db : {"hub", "mirror"}) {
    CAPTURE(db);
    CHECK_MESSAGE(eventually(seconds(60), [&] { return m.in_sync(db); }), m.states(db) << m.errors(db));
  }
  CHECK(eventually(seconds(60), [&] { return load1.transactions() > 1 && load2.transactions() > 1; }));
  load1.stop();
  load2.stop();
  m.settle();
  m.check_equal({"hub", "mirror"});
  CHECK(m.worker("hub", "p1").logged("ready to be copied from all parts"));
  CHECK_FALSE(m.worker("hub", "p2").logged("ready to be copied from all parts"));
  CHECK(eventually(seconds(20), [&] { return !m.left_copies(); }));
  for (auto* queue : {"all", "p1", "p2"}) {
    CHECK(m.worker("hub", queue).log().find("error") == std::string::npos);
    CHECK(m.worker("mirror", queue).log().find("error") == std::string::npos);
  }
  // Each change once in the combined queue, although the table has a capture trigger of that queue.
  CHECK(m.query("hub",
                "select count(*) from (select 1 from pgq.event_template where ev_extra1 = 'public.m' group by ev_time, "
                "ev_type, ev_data having count(*) > 1) twice") == "0");
}

TEST_CASE("a part whose copy is killed anywhere is copied all the same") {
  Merged m(false);
  struct Kill {
    std::string queue, point;
  };
  for (auto& kill :
       {Kill{"p1", "copy.prepared=crash"}, Kill{"p1", "copy.before_commit=crash"},
        Kill{"p1", "copy.after_commit=crash"}, Kill{"p2", "copy.before_commit=crash"},
        Kill{"p2", "copy.after_commit=crash"}, Kill{"p1", "copy.wanna_sync=crash"}, Kill{"p2", "copy.do_sync=crash"}}) {
    INFO(kill.queue << " " << kill.point);
    test::Load load1(m.conninfo("s1"), 50, kScript), load2(m.conninfo("s2"), 50, kScript);
    m.stop("hub", kill.queue);
    auto& doomed = m.start("hub", kill.queue, kWorker, {.env = {{"SKYTOOLS_FAILPOINTS", kill.point}}});
    if (m.query("hub", "select count(*) from londiste.table_info where table_name = 'public.m' and local") == "0")
      m.run("londiste", "hub", "p1", {"add-table", "m", "--merge-all"});
    else  // what resync does, for all parts at once
      m.query("hub",
              "select londiste.local_set_table_state(q, 'public.m', null, null) from unnest('{p1,p2}'::text[]) q");
    CHECK(eventually(seconds(40), [&] { return !doomed.running(); }));
    m.start("hub", kill.queue, kWorker);
    bool ok = eventually(seconds(60), [&] { return m.in_sync("hub"); });
    CHECK_MESSAGE(ok, m.states("hub") << m.errors("hub") << m.worker("hub", "p1").log() << m.worker("hub", "p2").log());
    load1.stop();
    load2.stop();
    m.settle();
    m.check_equal({"hub"});
    CHECK(eventually(seconds(20), [&] { return !m.left_copies(); }));
  }
}

TEST_CASE("one part alone is not copied anew over the rows of the others") {
  Merged m(false);
  m.run("londiste", "hub", "p1", {"add-table", "m", "--merge-all"});
  REQUIRE(eventually(seconds(60), [&] { return m.in_sync("hub"); }));
  m.settle();
  m.query("hub", "select londiste.local_set_table_state('p1', 'public.m', null, null)");
  CHECK(eventually(seconds(20), [&] { return m.errors("hub").find("rows of p2 are in it") != std::string::npos; }));
  CHECK(m.rows_of("hub", "p2") == m.rows_of("s2", "p2"));
  // With the other part wanted, too, both come.
  m.query("hub", "select londiste.local_set_table_state('p2', 'public.m', null, null)");
  CHECK(eventually(seconds(60), [&] { return m.in_sync("hub"); }));
  m.settle();
  m.check_equal({"hub"});
}
