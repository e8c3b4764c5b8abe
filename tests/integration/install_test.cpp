#include "core/schema/install.h"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <regex>

#include "core/base/error.h"
#include "core/run/throwaway.h"
#include "core/schema/fingerprint.h"
#include "tests/support/cluster.h"

using namespace skytools;
using test::run_skytools;

namespace {

std::vector<schema::Action> install(const std::string& conninfo, const schema::InstallOptions& options = {}) {
  pg::Connection c("db", conninfo);
  return schema::install(c, options);
}

schema::InstallOptions only(std::vector<std::string> modules) {
  schema::InstallOptions options;
  options.modules = std::move(modules);
  return options;
}

/// "pgq:installed londiste:none"
std::string words(const std::vector<schema::Action>& actions) {
  std::string out;
  for (auto& a : actions) out += (out.empty() ? "" : " ") + a.module + ":" + a.action;
  return out;
}

std::string states(const std::vector<schema::CheckResult>& results) {
  std::string out;
  for (auto& r : results) out += (out.empty() ? "" : " ") + r.module + ":" + r.state;
  return out;
}

std::string check_states(const std::string& conninfo) {
  pg::Connection c("db", conninfo);
  return states(schema::check(c, {}));
}

std::string facts_of(const std::string& conninfo) {
  pg::Connection c("db", conninfo);
  return schema::fingerprint(c);
}

/// The message of a refusal.
std::string refusal(const std::function<void()>& what) {
  try {
    what();
  } catch (const Refused& e) {
    return e.what();
  }
  return "not refused";
}

/// Changes with any transaction that wrote.
std::string last_txid(const std::string& conninfo) {
  return test::query(conninfo, "select txid_snapshot_xmax(txid_current_snapshot())");
}

/// The embedded files, some of them changed.
struct ChangedFiles {
  std::vector<schema::File> files;
  ChangedFiles() {
    auto all = schema::files();
    files.assign(all.begin(), all.end());
  }
  void set(std::string_view path, std::string_view text, std::string_view sum) {
    for (auto& f : files)
      if (f.path == path) {
        f.text = text, f.sha256 = sum;
        return;
      }
    files.push_back({path, text, sum});
  }
  schema::InstallOptions options() const {
    schema::InstallOptions o;
    o.source.files = files;
    return o;
  }
};

/// Are the extensions of the original there? Says so when not.
bool have_extensions() {
  test::Database db;
  if (db.query("select count(*) from pg_available_extensions where name in ('pgq', 'pgq_node', 'londiste')") == "3")
    return true;
  MESSAGE("SKIPPED: this server has no extensions pgq, pgq_node and londiste");
  return false;
}

/// The words of all modules: this one, but for those named.
std::string every(const std::string& word, const std::map<std::string, std::string>& but = {}) {
  std::string out;
  for (const schema::Module& m : schema::kModules) {
    auto other = but.find(std::string(m.name));
    out += (out.empty() ? "" : " ") + std::string(m.name) + ":" + (other == but.end() ? word : other->second);
  }
  return out;
}

const std::string kNone = every("none"), kInstalled = every("installed"), kOk = every("ok");

/// Our schemas in a list of SQL.
const std::string kSchemas = "('skytools', 'pgq', 'pgq_node', 'pgq_coop', 'pgq_ext', 'londiste')";

}  // namespace

TEST_CASE("a fresh installation, and again") {
  test::Database db;
  auto first = run_skytools({"install", "--db", db.conninfo()});
  CHECK(first.exit == 0);
  CHECK(first.err == "");
  CHECK(
      std::regex_match(first.out, std::regex("skytools +[0-9.]+ +installed\npgq +3[.]5[.0-9]+ +installed\n"
                                             "pgq_node +3[.]5[.0-9]+ +installed\npgq_coop +3[.]4[.0-9]+ +installed\n"
                                             "pgq_ext +3[.]1[.0-9]+ +installed\nlondiste +3[.]8[.0-9]+ +installed\n")));
  const std::string facts = facts_of(db.conninfo()), before = last_txid(db.conninfo());
  auto second = run_skytools({"install", "--db", db.conninfo()});
  CHECK(second.exit == 0);
  CHECK(std::regex_replace(second.out, std::regex("already installed"), "installed") == first.out);
  CHECK(last_txid(db.conninfo()) == before);  // not even a transaction id was taken
  CHECK(facts_of(db.conninfo()) == facts);

  auto json = run_skytools({"install", "--json", "--db", db.conninfo(), "pgq"});
  CHECK(json.out == "[{\"module\": \"skytools\", \"state\": \"current\", \"version\": \"" SKYTOOLS_VERSION
                    "\", \"action\": \"none\"},\n"
                    " {\"module\": \"pgq\", \"state\": \"current\", \"version\": \"3.5.0\", \"action\": \"none\"}]\n");
}

TEST_CASE("schema/fingerprint.tsv is what an installation makes") {
  test::Database db;
  install(db.conninfo());
  // Refresh it with: skytools install --fingerprint --db CONNINFO > schema/fingerprint.tsv
  auto want = schema::read_facts(schema::embedded().fingerprint), have = schema::read_facts(facts_of(db.conninfo()));
  for (const schema::Module& m : schema::kModules) {
    for (auto& d : schema::differences(want, have, m.name)) FAIL_CHECK(d);
    for (auto& d : schema::differences(have, want, m.name)) FAIL_CHECK("the other way round: " << d);
  }
  CHECK(want == have);
  CHECK(run_skytools({"install", "--fingerprint", "--db", db.conninfo()}).out == facts_of(db.conninfo()));
}

TEST_CASE("one module brings what it needs, and no more") {
  test::Database db;
  CHECK(words(install(db.conninfo(), only({"pgq"}))) == "skytools:installed pgq:installed");
  CHECK(db.query("select to_regnamespace('pgq_node') is null") == "t");
  CHECK(words(install(db.conninfo(), only({"londiste"}))) ==
        "skytools:none pgq:none pgq_node:installed londiste:installed");
  CHECK(words(install(db.conninfo(), only({"pgq_coop"}))) == "skytools:none pgq:none pgq_coop:installed");
  test::Database target;
  CHECK(words(install(target.conninfo(), only({"pgq_ext"}))) == "skytools:installed pgq_ext:installed");
  CHECK(target.query("select to_regnamespace('pgq') is null") == "t");
  CHECK(target.query("select pgq_ext.set_batch_done('c', 1), pgq_ext.is_batch_done('c', 1)") == "t|t");

  auto wrong = run_skytools({"install", "pgq_cop", "--db", db.conninfo()});
  CHECK(wrong.exit == 2);
  CHECK(wrong.err.find("did you mean 'pgq_coop'?") != std::string::npos);
}

TEST_CASE("--dry-run lists steps and changes nothing") {
  test::Database db;
  auto r = run_skytools({"install", "--dry-run", "--db", db.conninfo()});
  CHECK(r.exit == 0);
  CHECK(r.out.find("would be installed\n  schema/skytools/1_tables.sql\n") != std::string::npos);
  CHECK(r.out.find("  schema/pgq/functions/ticker.sql\n") != std::string::npos);
  CHECK(db.query("select count(*) from pg_namespace where nspname in " + kSchemas) == "0");
}

TEST_CASE("--check finds what is missing or drifted, --upgrade mends it") {
  test::Database db;
  auto check = [&] { return run_skytools({"install", "--check", "--db", db.conninfo()}); };
  CHECK(check().exit == 3);
  CHECK(check_states(db.conninfo()) == every("missing"));
  install(db.conninfo(), only({"pgq_node"}));
  CHECK(check_states(db.conninfo()) ==
        every("ok", {{"pgq_coop", "missing"}, {"pgq_ext", "missing"}, {"londiste", "missing"}}));
  install(db.conninfo());
  auto good = check();
  CHECK(good.exit == 0);
  CHECK(good.out.find("drifted") == std::string::npos);
  const std::string before = last_txid(db.conninfo());
  CHECK(check().exit == 0);
  CHECK(last_txid(db.conninfo()) == before);

  struct Drift {
    const char *sql, *line;
  };
  const Drift mendable[] = {
      {"create or replace function pgq.version() returns text language plpgsql as 'begin return ''9''; end'",
       "function pgq.version(): body differs"},
      {"drop function pgq.version()", "function pgq.version() is missing"},
      {"alter function pgq.ticker(text) security invoker",
       "function pgq.ticker(text): security is 'invoker', expected 'definer'"},
      {"alter function pgq.ticker(text) reset all", "function pgq.ticker(text): settings is"},
      {"alter function pgq.quote_fqname(text) volatile", "function pgq.quote_fqname(text): volatility is 'volatile'"},
      {"grant execute on function pgq.create_queue(text) to public",
       "function pgq.create_queue(text): unexpected grant to PUBLIC: execute"},
      {"revoke select on pgq.queue from pgq_reader",
       "table pgq.queue: grant to pgq_reader is missing, expected select"},
      {"revoke usage on schema londiste from public", "schema londiste: grant to PUBLIC is missing"},
  };
  for (auto& drift : mendable) {
    CAPTURE(std::string(drift.sql));
    db.query(drift.sql);
    auto found = check();
    CHECK(found.exit == 3);
    CHECK(found.out.find(std::string("  ") + drift.line) != std::string::npos);
    CHECK(run_skytools({"install", "--upgrade", "--db", db.conninfo()}).exit == 0);
    CHECK(check().out == good.out);
  }

  const Drift reported[] = {
      {"alter table pgq.queue add column extra text", "table pgq.queue: unexpected column extra: text"},
      {"alter table pgq.queue alter column queue_ticker_max_count set default 7",
       "table pgq.queue: column queue_ticker_max_count is 'integer not null default 7', expected 'integer not null "
       "default 500'"},
      {"drop index pgq.rq_retry_idx", "table pgq.retry_queue: index rq_retry_idx is missing"},
      {"alter table pgq.tick drop constraint tick_queue_fkey", "table pgq.tick: constraint tick_queue_fkey is missing"},
      {"alter table londiste.table_info disable trigger all",
       "table londiste.table_info: trigger table_info_trigger_sync is"},
  };
  for (auto& drift : reported) db.query(drift.sql);
  auto found = check();
  CHECK(found.exit == 3);
  for (auto& drift : reported) {
    CAPTURE(std::string(drift.sql));
    CHECK(found.out.find(drift.line) != std::string::npos);
  }
  // Grants to others are the operator's own business.
  test::Database other;
  install(other.conninfo());
  other.query("grant select on pgq.tick to pg_monitor");
  CHECK(check_states(other.conninfo()) == kOk);
}

TEST_CASE("queues and their tables are no drift") {
  test::Database db;
  install(db.conninfo());
  db.query("select pgq.create_queue('q')");
  CHECK(check_states(db.conninfo()) == kOk);
}

TEST_CASE("the script for a DBA makes the same, and may be run again") {
  test::Database direct, scripted;
  install(direct.conninfo());
  auto script = run_skytools({"install", "--sql"});
  CHECK(script.exit == 0);
  const std::string psql_path = (run::server_binaries() / "psql").string();
  auto psql = [&] {
    return test::run_program({psql_path, "-X", "-q", "-f", "-", scripted.conninfo()}, {.input = script.out});
  };
  auto first = psql();
  CHECK_MESSAGE(first.exit == 0, first.err);
  CHECK(facts_of(scripted.conninfo()) == facts_of(direct.conninfo()));
  CHECK(words(install(scripted.conninfo())) == kNone);
  CHECK(check_states(scripted.conninfo()) == kOk);

  scripted.query("drop function pgq.version()");
  CHECK(psql().exit == 0);
  CHECK(facts_of(scripted.conninfo()) == facts_of(direct.conninfo()));

  // As with the command, it is all or nothing.
  test::Database half;
  half.query("create schema londiste");
  CHECK(test::run_program({psql_path, "-X", "-q", "-f", "-", half.conninfo()}, {.input = script.out}).exit != 0);
  CHECK(half.query("select to_regnamespace('skytools') is null and to_regnamespace('pgq') is null") == "t");
}

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

TEST_CASE("databases of other encodings") {
  test::Database db;
  db.query("create database latin template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'");
  const std::string latin = pg::with_keyword(db.conninfo(), "dbname", "latin");
  CHECK(words(install(latin)) == kInstalled);
  CHECK(check_states(latin) == kOk);
  db.query("drop database latin");
}

TEST_CASE("uninstall asks, tells what is lost, and drops") {
  test::Database db;
  install(db.conninfo());
  db.query(
      "select pgq.create_queue('orders'); select pgq.register_consumer('orders', 'billing');"
      "create table public.t (id int primary key);"
      "create trigger capture after insert on public.t for each row execute function pgq.logutriga('orders');"
      "create view public.lag as select * from pgq.get_consumer_info()");
  auto refused = run_skytools({"install", "--uninstall", "--db", db.conninfo()});
  CHECK(refused.exit == 5);
  for (std::string part : {"queue orders (1 consumers)", "trigger capture on table public.t",
                           "rule _RETURN on view public.lag", "--yes"}) {
    CAPTURE(part);
    CHECK(refused.err.find(part) != std::string::npos);
  }
  CHECK(check_states(db.conninfo()) == kOk);

  auto needed = run_skytools({"install", "pgq", "--uninstall", "--yes", "--db", db.conninfo()});
  CHECK(needed.exit == 5);
  CHECK(needed.err.find("schema pgq is needed by pgq_node, pgq_coop;") != std::string::npos);

  CHECK(run_skytools({"install", "londiste", "--uninstall", "--yes", "--db", db.conninfo()}).out.find("londiste") == 0);
  CHECK(check_states(db.conninfo()) == every("ok", {{"londiste", "missing"}}));
  CHECK(run_skytools({"install", "--uninstall", "--dry-run", "--db", db.conninfo()}).exit == 0);
  CHECK(check_states(db.conninfo()) == every("ok", {{"londiste", "missing"}}));
  CHECK(run_skytools({"install", "pgq_node", "pgq_coop", "pgq", "--uninstall", "--yes", "--db", db.conninfo()}).exit ==
        0);
  CHECK(check_states(db.conninfo()) == every("missing", {{"skytools", "ok"}, {"pgq_ext", "ok"}}));
  db.query("select pgq_ext.set_batch_done('billing', 7)");
  auto last = run_skytools({"install", "pgq_ext", "--uninstall", "--db", db.conninfo()});
  CHECK(last.exit == 5);
  CHECK(last.err.find("progress of consumer billing") != std::string::npos);
  CHECK(run_skytools({"install", "pgq_ext", "--uninstall", "--yes", "--db", db.conninfo()}).exit == 0);
  CHECK(db.query("select count(*) from pg_namespace where nspname in " + kSchemas) == "0");
  CHECK(db.query("select count(*) from pg_trigger where tgrelid = 'public.t'::regclass") == "0");
  CHECK(run_skytools({"install", "--uninstall", "--yes", "--db", db.conninfo()}).exit == 0);
  CHECK(words(install(db.conninfo())) == kInstalled);
}

TEST_CASE("require() names the missing module and the command") {
  test::Database db;
  pg::Connection c("db", db.conninfo());
  auto message = [&](std::initializer_list<std::string_view> modules) {
    try {
      schema::require(c, modules);
    } catch (const SchemaMissing& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(message({"pgq"}).find("schema pgq is missing; run: skytools install --db \"host=") != std::string::npos);
  CHECK(message({"pgq"}).find("dbname=" + db.name()) != std::string::npos);
  CHECK(message({"pgq"}).find(c.label()) == 1);
  install(db.conninfo(), only({"pgq_node"}));
  CHECK(message({"skytools", "pgq", "pgq_node"}) == "");
  CHECK(message({"skytools", "pgq", "londiste"}).find("schema londiste is missing") != std::string::npos);
  db.query("update skytools.module set version = '3.4.9' where name = 'pgq'");
  CHECK(message({"pgq"}).find("schema pgq 3.4.9 is too old, this program needs 3.5.0; run: skytools install") !=
        std::string::npos);
  db.query("update skytools.module set version = '99' where name = 'pgq'");
  CHECK(message({"pgq"}) == "");  // newer serves older programs
}

TEST_CASE("--all-databases") {
  run::ThrowawayServer own;
  own.new_database("one"), own.new_database("two"), own.new_database("bad");
  test::query(own.conninfo("bad"), "create schema pgq");
  auto r = run_skytools({"install", "pgq", "--all-databases", "--json", "--db", own.conninfo("postgres")});
  CHECK(r.exit == 5);
  CHECK(r.out.find("{\"database\": \"bad\", \"error\": ") != std::string::npos);
  CHECK(r.out.find("{\"database\": \"two\", \"module\": \"pgq\", \"state\": \"absent\"") != std::string::npos);
  test::query(own.conninfo("bad"), "drop schema pgq");
  auto again = run_skytools({"install", "pgq", "--all-databases", "--db", own.conninfo("postgres")});
  CHECK(again.exit == 0);
  CHECK(std::regex_search(again.out, std::regex("bad +pgq +3[.0-9]+ +installed\n")));
  CHECK(std::regex_search(again.out, std::regex("two +pgq +3[.0-9]+ +already installed\n")));
  CHECK(run_skytools({"install", "--check", "pgq", "--all-databases", "--db", own.conninfo("postgres")}).exit == 0);
  CHECK(run_skytools({"install", "--uninstall", "--all-databases", "--yes", "--db", own.conninfo("postgres")}).exit ==
        2);
}
