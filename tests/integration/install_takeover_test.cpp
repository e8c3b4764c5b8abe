// What is there already: extensions, schemas of the original, older files, other owners.
#include <doctest/doctest.h>

#include <fstream>
#include <regex>

#include "core/run/throwaway.h"
#include "tests/support/installer.h"

using namespace skytools;
using namespace skytools::test;

TEST_CASE("extensions are adopted and left as they are") {
  if (!have_extensions()) return;
  test::Database db;
  db.query("create extension pgq; create extension pgq_node");
  // All but the sequence of schema skytools, which is ours.
  const char* members =
      "select string_agg(p.oid::regprocedure || ' ' || p.xmin || ' ' || md5(p.prosrc) || coalesce(p.proacl::text, ''), "
      "' ' order by 1)"
      " from pg_proc p where pronamespace::regnamespace::text in ('pgq', 'pgq_node')";
  const std::string before = db.query(members);
  auto r = run_skytools({"install", "--db", db.conninfo()});
  CHECK(r.exit == 0);
  CHECK(r.out.find("adopted (extension pgq 3.") != std::string::npos);
  CHECK(db.query(members) == before);
  CHECK(db.query("select string_agg(name || ' ' || origin, ', ' order by name) from skytools.module") ==
        "londiste skytools, pgq extension, pgq_coop skytools, pgq_ext skytools, pgq_node extension, skytools skytools");
  CHECK(words(install(db.conninfo())) == kNone);
  CHECK(check_states(db.conninfo()) == every("ok", {{"pgq", "extension"}, {"pgq_node", "extension"}}));
  CHECK(run_skytools({"install", "--check", "--db", db.conninfo()}).exit == 0);
  {
    pg::Connection c("db", db.conninfo());
    CHECK_NOTHROW(schema::require(c, {"skytools", "pgq", "pgq_node", "londiste"}));
  }
  auto gone = run_skytools({"install", "--uninstall", "--yes", "--db", db.conninfo()});
  CHECK(gone.exit == 5);
  CHECK(gone.err.find("run: drop extension pgq_node") != std::string::npos);
  // The extension still works and still can be dropped.
  db.query("select pgq.create_queue('q'); select pgq.drop_queue('q')");
  CHECK(run_skytools({"install", "londiste", "--uninstall", "--yes", "--db", db.conninfo()}).exit == 0);
  CHECK_NOTHROW(db.query("drop extension pgq_node; drop extension pgq"));
}

TEST_CASE("a schema made by plain SQL of the original is taken over") {
  if (!have_extensions()) return;
  test::Database db, fresh;
  install(fresh.conninfo());
  db.query("create extension pgq; create extension pgq_node; create extension londiste");
  db.query("select pgq.create_queue('kept'); select pgq.insert_event('kept', 't', 'd')");
  // Objects without their extension are what running the SQL files by hand leaves.
  for (std::string extension : {"londiste", "pgq_node", "pgq"}) {
    std::string drops =
        db.query("select string_agg(format('alter extension " + extension +
                 " drop %s %s', o.type, o.identity), '; ')"
                 "  from pg_depend d cross join pg_identify_object(d.classid, d.objid, 0) o"
                 " where d.deptype = 'e' and d.refobjid = (select oid from pg_extension where extname = '" +
                 extension +
                 "')"
                 "   and o.type in ('table', 'function', 'schema', 'sequence', 'trigger')");
    db.query(drops);
    db.query("drop extension " + extension);
  }
  CHECK(check_states(db.conninfo()) ==
        every("missing", {{"pgq", "unrecorded"}, {"pgq_node", "unrecorded"}, {"londiste", "unrecorded"}}));
  CHECK(words(install(db.conninfo())) ==
        every("installed", {{"pgq", "taken over"}, {"pgq_node", "taken over"}, {"londiste", "taken over"}}));
  CHECK(words(install(db.conninfo())) == kNone);
  CHECK(db.query("select queue_name from pgq.queue") == "kept");
  CHECK(db.query("select to_regclass('skytools.rotation_' || queue_id) is not null from pgq.queue") == "t");
  CHECK(db.query("select count(*) from pg_proc where pronamespace = 'pgq'::regnamespace and probin is not null") ==
        "0");
  // It ends as a fresh installation does. What 3.5 has and we have not is left alone.
  auto want = schema::read_facts(facts_of(fresh.conninfo())), have = schema::read_facts(facts_of(db.conninfo()));
  for (const schema::Module& m : schema::kModules)
    for (auto& d : schema::differences(want, have, m.name)) FAIL_CHECK(d);
}

TEST_CASE("pgq_coop, which has no tables, is known by its functions") {
  test::Database db;
  install(db.conninfo(), only({"pgq"}));
  db.query("create schema pgq_coop");
  CHECK(refusal([&] {
          install(db.conninfo());
        }).find("schema pgq_coop exists, but is no pgq_coop of version 3 (it has no pgq_coop.register_subconsumer)") !=
        std::string::npos);
  db.query(
      "create function pgq_coop.register_subconsumer(a text, b text, c text) returns bigint language sql as 'select "
      "1::bigint'");
  CHECK(words(install(db.conninfo(), only({"pgq_coop"}))) == "skytools:none pgq:none pgq_coop:taken over");
  install(db.conninfo());
  CHECK(check_states(db.conninfo()) == kOk);
}

TEST_CASE("the tables of an old pgq_ext get their subconsumers") {
  test::Database db;
  db.query(
      "create schema pgq_ext;"
      "create table pgq_ext.completed_tick (consumer_id text primary key, last_tick_id bigint not null);"
      "create table pgq_ext.completed_batch (consumer_id text primary key, last_batch_id bigint not null);"
      "create table pgq_ext.completed_event (consumer_id text, batch_id bigint, event_id bigint,"
      " primary key (consumer_id, batch_id, event_id));"
      "create table pgq_ext.partial_batch (consumer_id text primary key, cur_batch_id bigint not null);"
      "insert into pgq_ext.completed_batch values ('c', 7)");
  CHECK(words(install(db.conninfo(), only({"pgq_ext"}))) == "skytools:installed pgq_ext:taken over");
  CHECK(db.query("select pgq_ext.is_batch_done('c', 7), pgq_ext.is_batch_done('c', '', 7)") == "t|t");
  install(db.conninfo());
  CHECK(check_states(db.conninfo()) == kOk);
}

TEST_CASE("functions whose result or arguments differ are replaced when a schema is taken over") {
  test::Database db;
  install(db.conninfo());
  db.query("delete from skytools.module where name = 'pgq'");
  db.query("drop function pgq.version(); create function pgq.version() returns integer language sql as 'select 3'");
  db.query(
      "drop function pgq.quote_fqname(text); create function pgq.quote_fqname(another_name text) returns text language "
      "sql as 'select $1'");
  db.query("alter table pgq.queue drop column queue_extra_maint");
  CHECK(words(install(db.conninfo(), only({"pgq"}))) == "skytools:none pgq:taken over");
  CHECK(check_states(db.conninfo()) == kOk);
}

TEST_CASE("a changed file is applied, alone") {
  test::Database db;
  install(db.conninfo());
  ChangedFiles changed;
  changed.set("pgq/functions/version.sql",
              "create or replace function pgq.version() returns integer language sql as $$ select 42 $$;\n", "changed");
  auto actions = install(db.conninfo(), changed.options());
  CHECK(words(actions) == every("none", {{"pgq", "upgraded"}}));
  CHECK(actions[1].steps == std::vector<std::string>{"schema/pgq/functions/version.sql", "schema/pgq/grants.sql"});
  CHECK(db.query("select pgq.version()") == "42");
  CHECK(words(install(db.conninfo(), changed.options())) == kNone);
  // And back, which is an upgrade as well; a file that is gone is forgotten.
  changed.set("pgq/functions/zz_extra.sql",
              "create or replace function pgq.zz_extra() returns void language sql as '';\n", "extra");
  install(db.conninfo(), changed.options());
  CHECK(words(install(db.conninfo())) == every("none", {{"pgq", "upgraded"}}));
  CHECK(words(install(db.conninfo())) == kNone);
  CHECK(db.query("select count(*) from skytools.file where path ~ 'zz_extra'") == "0");
  CHECK(check_states(db.conninfo()) == kOk);
}

TEST_CASE("an upgrade file runs once on an existing schema and never on a fresh one") {
  ChangedFiles changed;
  changed.set("pgq/upgrade_mark.sql", "create table public.mark();\n", "one");
  test::Database old, fresh;
  install(fresh.conninfo(), changed.options());
  CHECK(fresh.query("select to_regclass('public.mark') is null") == "t");
  install(old.conninfo());
  auto actions = install(old.conninfo(), changed.options());
  CHECK(actions[1].steps == std::vector<std::string>{"schema/pgq/upgrade_mark.sql", "schema/pgq/grants.sql"});
  CHECK(old.query("select to_regclass('public.mark') is not null") == "t");
  CHECK(words(install(old.conninfo(), changed.options())) == kNone);
}

TEST_CASE("an error names file and line, and nothing stays behind") {
  test::Database db;
  ChangedFiles changed;
  changed.set("pgq_node/functions/version.sql",
              "-- pgq_node.version() → text\n"
              "\n"
              "create or replace function pgq_node.version()\n"
              "returns no_such_type language sql as $$ select 1 $$;\n",
              "broken");
  try {
    install(db.conninfo(), changed.options());
    FAIL("installed");
  } catch (const pg::SqlError& e) {
    CHECK(std::string(e.what()).find("schema/pgq_node/functions/version.sql") != std::string::npos);
    CHECK(e.sqlstate() == "42704");
  }
  CHECK(db.query("select count(*) from pg_namespace where nspname in " + kSchemas) == "0");

  changed.set("pgq_node/functions/version.sql", "-- head →\n\nselect 'ä', 1\n  from no_such_table;\n", "broken");
  try {
    install(db.conninfo(), changed.options());
    FAIL("installed");
  } catch (const pg::SqlError& e) {
    CHECK(e.message() == "schema/pgq_node/functions/version.sql:4: relation \"no_such_table\" does not exist");
  }
}

TEST_CASE("two installers do not meet") {
  test::Database db;
  pg::Connection other("other", db.conninfo());
  pg::Transaction holder(other);
  holder.exec("select pg_advisory_xact_lock(1397446516, 2)");
  schema::InstallOptions options;
  options.lock_timeout = milliseconds(100);
  CHECK(refusal([&] { install(db.conninfo(), options); }).find("another installation is at work") != std::string::npos);
  holder.rollback();
  install(db.conninfo(), options);

  pg::Transaction user(other);
  user.exec("lock table pgq.queue in access exclusive mode");
  options.upgrade = true;
  ChangedFiles changed;
  options.source.files = changed.files;
  changed.set("pgq/upgrade_lock.sql", "alter table pgq.queue add column zz text;", "l");
  options.source.files = changed.files;
  CHECK(refusal([&] { install(db.conninfo(), options); }).find("try again later") != std::string::npos);
  user.rollback();
  CHECK(check_states(db.conninfo()) == kOk);
}

TEST_CASE("what belongs to others or to a later version is refused") {
  test::Database db;
  SUBCASE("an unknown schema of the same name") {
    db.query("create schema pgq");
    auto r = run_skytools({"install", "--db", db.conninfo()});
    CHECK(r.exit == 5);
    CHECK(r.err.find("schema pgq exists, but is no pgq of version 3") != std::string::npos);
    CHECK(db.query("select to_regnamespace('skytools') is null") == "t");
  }
  SUBCASE("a stranger's schema, also for a superuser") {
    db.query("create role stranger");
    db.query("create schema pgq authorization stranger; create table pgq.queue (queue_per_tx_limit int)");
    CHECK(refusal([&] { install(db.conninfo()); }).find("schema pgq belongs to role stranger") != std::string::npos);
    db.query("drop schema pgq cascade; create schema skytools authorization stranger");
    CHECK(refusal([&] { install(db.conninfo()); }).find("schema skytools belongs to role stranger") !=
          std::string::npos);
    db.query("drop schema skytools; drop role stranger");
  }
  SUBCASE("newer than the program") {
    install(db.conninfo());
    db.query("update skytools.module set version = '9.0.1' where name = 'pgq'");
    auto r = run_skytools({"install", "--db", db.conninfo()});
    CHECK(r.exit == 5);
    CHECK(r.err.find("schema pgq 9.0.1 is newer than this program's") != std::string::npos);
    CHECK(check_states(db.conninfo()) == every("ok", {{"pgq", "newer"}}));
    CHECK(run_skytools({"install", "--check", "--db", db.conninfo()}).exit == 3);
  }
}

TEST_CASE("the owner of a database needs no superuser") {
  run::ThrowawayServer own;  // roles belong to the whole server: here they are not made yet
  const std::string admin = own.conninfo("postgres");
  test::query(admin, "create role creator login createrole; create role plain login");
  test::query(admin, "create database by_plain owner plain");
  test::query(admin, "create database by_creator owner creator");
  auto as = [&](const std::string& db, const std::string& role) {
    return pg::with_keyword(own.conninfo(db), "user", role);
  };

  auto r = run_skytools({"install", "--db", as("by_plain", "plain")});
  CHECK(r.exit == 1);
  for (std::string part : {"schema/skytools/grants.sql", "create role pgq_reader", "create role pgq_writer",
                           "create role pgq_admin", "42501"}) {
    CAPTURE(part);
    CHECK(r.err.find(part) != std::string::npos);
  }
  CHECK(test::query(as("by_plain", "plain"), "select count(*) from pg_namespace where nspname ~ '^(skytools|pgq)'") ==
        "0");

  CHECK(words(install(as("by_creator", "creator"))) == kInstalled);
  CHECK(words(install(as("by_creator", "creator"))) == kNone);
  CHECK(check_states(as("by_creator", "creator")) == kOk);
  CHECK(test::query(own.conninfo("by_creator"),
                    "select string_agg(distinct nspowner::regrole::text, ' ') from pg_namespace"
                    " where nspname in " +
                        kSchemas) == "creator");
  // Now that the roles are there, no right on roles is needed.
  CHECK(words(install(as("by_plain", "plain"))) == kInstalled);
  CHECK(check_states(as("by_plain", "plain")) == kOk);
  // Queues work for their owner.
  test::query(as("by_plain", "plain"),
              "select pgq.create_queue('q'); select pgq.insert_event('q', 't', 'd'); select pgq.ticker('q')");

  // A later superuser finds all in order; somebody else may look, not change.
  CHECK(words(install(own.conninfo("by_plain"))) == kNone);
  CHECK(words(install(as("by_plain", "creator"))) == kNone);
  schema::InstallOptions again;
  again.upgrade = true;
  CHECK(refusal([&] { install(as("by_plain", "creator"), again); }).find("belongs to role plain") != std::string::npos);

  // What a superuser's upgrade adds belongs to the schema's owner.
  ChangedFiles changed;
  changed.set("pgq/functions/zz_extra.sql",
              "create or replace function pgq.zz_extra() returns void language sql as '';\n", "extra");
  CHECK(words(install(own.conninfo("by_plain"), changed.options())) == every("none", {{"pgq", "upgraded"}}));
  CHECK(test::query(own.conninfo("by_plain"),
                    "select distinct proowner::regrole from pg_proc"
                    " where pronamespace = 'pgq'::regnamespace") == "plain");
}

TEST_CASE("beside a superuser's extension the installer needs pgq_admin") {
  if (!have_extensions()) return;
  run::ThrowawayServer own;
  const std::string admin = own.conninfo("postgres");
  test::query(admin, "create role creator login createrole; create role plain login");
  const bool self_granting = std::stoi(test::query(admin, "show server_version_num")) < 160000;
  for (std::string owner : {"plain", "creator"}) {
    CAPTURE(owner);
    const std::string db = "by_" + owner;
    test::query(admin, "create database " + db + " owner " + owner);
    test::query(own.conninfo(db), "create extension pgq");
    const std::string conninfo = pg::with_keyword(own.conninfo(db), "user", owner);
    schema::InstallOptions pgq;
    pgq.modules = {"pgq"};
    if (owner == "plain" || !self_granting) {
      auto r = run_skytools({"install", "pgq", "--db", conninfo});
      CHECK(r.exit == 1);
      CHECK_MESSAGE(r.err.find("grant pgq_admin to " + owner) != std::string::npos, r.err);
      test::query(admin, "grant pgq_admin to " + owner);
    }
    CHECK_NOTHROW(install(conninfo, pgq));
    test::query(own.conninfo(db), "select pgq.create_queue('q'), pgq.ticker('q'), pgq.register_consumer('q', 'c')");
    CHECK(test::query(conninfo, "select skytools.send('q', 't', array['a', 'b'])") == "2");
    test::query(own.conninfo(db), "select pgq.force_tick('q')");
    test::query(own.conninfo(db), "select pgq.ticker('q')");
    CHECK(test::query(conninfo,
                      "select skytools.answer_batch(pgq.next_batch('q', 'c'), array[1], null, array[2], null)") == "1");
  }
}

TEST_CASE("after a restore into a server without the roles, an installation makes them and the grants again") {
  run::ThrowawayServer own;
  const std::string db = own.new_database("restored");
  install(db);
  const std::string facts = facts_of(db);
  const std::string roles = "pgq_reader, pgq_writer, pgq_admin, londiste_reader, londiste_writer";
  test::query(db, "drop owned by " + roles + "; drop role " + roles);
  CHECK(check_states(db) == every("drifted"));
  CHECK(words(install(db)) == every("upgraded"));
  CHECK(facts_of(db) == facts);
  CHECK(words(install(db)) == kNone);
}
