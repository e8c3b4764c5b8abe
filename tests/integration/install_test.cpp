// Installing, checking, uninstalling.
#include <doctest/doctest.h>

#include <fstream>
#include <regex>

#include "core/run/throwaway.h"
#include "tests/support/installer.h"

using namespace skytools;
using namespace skytools::test;

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
