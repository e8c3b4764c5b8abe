#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/schema/fingerprint.h"
#include "core/schema/install.h"
#include "core/schema/plan.h"

using namespace skytools;
using namespace skytools::schema;

namespace {

std::string names(const std::vector<const Module*>& modules) {
  std::string out;
  for (auto* m : modules) out += (out.empty() ? "" : " ") + std::string(m->name);
  return out;
}

std::string labels(const Plan& plan) {
  std::string out;
  for (auto& s : plan.steps) out += s.label() + (s.replace ? "! " : " ");
  return out;
}

/// A small module of every kind of file, under the name of a real one.
constexpr File kFiles[] = {
    {"pgq/1_tables.sql", "create schema pgq;", "t1"},
    {"pgq/5_triggers.sql", "", "t5"},
    {"pgq/functions/a.sql", "", "a1"},
    {"pgq/functions/b.sql", "", "b1"},
    {"pgq/grants.sql", "", "g1"},
    {"pgq/upgrade_column.sql", "", "u1"},
    {"pgq_node/1_tables.sql", "create schema pgq_node;", "n"},
};

InstallOptions options_with(bool upgrade = false) {
  InstallOptions o;
  o.upgrade = upgrade;
  o.source = {kFiles, ""};
  return o;
}

const Module& pgq = module_named("pgq");

/// As it stands after an installation of kFiles.
ModuleState installed() {
  ModuleState s;
  s.name = "pgq", s.version = pgq.version, s.origin = "skytools", s.owner = "shop";
  s.present = s.current = s.owner_is_us = s.owner_trusted = s.fits = s.recorded = true;
  return s;
}

}  // namespace

TEST_CASE("modules come with what they need, in the order of installation") {
  CHECK(names(with_needs({})) == "skytools pgq pgq_node pgq_coop pgq_ext londiste");
  CHECK(names(with_needs({"all"})) == "skytools pgq pgq_node pgq_coop pgq_ext londiste");
  CHECK(names(with_needs({"pgq_node"})) == "skytools pgq pgq_node");
  CHECK(names(with_needs({"pgq", "skytools"})) == "skytools pgq");
  CHECK(names(with_needs({"londiste"})) == "skytools pgq pgq_node londiste");
  CHECK(names(with_needs({"pgq_coop"})) == "skytools pgq pgq_coop");
  CHECK(names(with_needs({"pgq_ext"})) == "skytools pgq_ext");
  CHECK(names(with_needs({"pgq_ext", "pgq_node"})) == "skytools pgq pgq_node pgq_ext");
  CHECK_THROWS_WITH_AS(with_needs({"londist"}), "unknown module 'londist'; did you mean 'londiste'?", UsageError);
}

TEST_CASE("versions compare number by number") {
  CHECK(compare_versions("3.5", "3.5.0") == 0);
  CHECK(compare_versions("3.10", "3.9.2") > 0);
  CHECK(compare_versions("3.2.6", "3.5") < 0);
  CHECK(compare_versions("3.5.1-skytools", "3.5.1") == 0);
  CHECK(compare_versions("3.1.6", "3.2") < 0);
  CHECK(compare_versions("", "3") < 0);
}

TEST_CASE("files run in the order of their kinds") {
  std::string order;
  for (auto& [file, kind] : files_of("pgq", kFiles)) order += std::string(file->path.substr(4)) + " ";
  CHECK(order == "1_tables.sql functions/a.sql functions/b.sql upgrade_column.sql 5_triggers.sql grants.sql ");
  constexpr File kStray[] = {{"pgq/notes.sql", "", ""}};
  CHECK_THROWS_AS(files_of("pgq", kStray), Error);
}

TEST_CASE("what is done depends on what is found") {
  ModuleState s = installed();
  SUBCASE("absent: everything but upgrade files") {
    Plan p = plan_module(
        pgq,
        ModuleState{
            .name = "pgq", .version = {}, .origin = {}, .extension = {}, .owner = {}, .files = {}, .changed = {}},
        options_with(), "db x");
    CHECK(p.action == "installed");
    CHECK(labels(p) ==
          "schema/pgq/1_tables.sql schema/pgq/functions/a.sql schema/pgq/functions/b.sql "
          "schema/pgq/5_triggers.sql schema/pgq/grants.sql ");
    CHECK(p.record);
  }
  SUBCASE("the same: nothing") {
    Plan p = plan_module(pgq, s, options_with(), "db x");
    CHECK(p.action == "none");
    CHECK(p.steps.empty());
    CHECK_FALSE(p.record);
  }
  SUBCASE("the same, but all again is wanted") {
    Plan p = plan_module(pgq, s, options_with(true), "db x");
    CHECK(p.action == "upgraded");
    CHECK(labels(p) == "schema/pgq/functions/a.sql! schema/pgq/functions/b.sql! schema/pgq/grants.sql ");
  }
  SUBCASE("a function changed: that file and the grants") {
    s.current = false, s.changed = {&kFiles[3]};
    CHECK(labels(plan_module(pgq, s, options_with(), "db x")) == "schema/pgq/functions/b.sql! schema/pgq/grants.sql ");
  }
  SUBCASE("tables changed: never again, but the upgrade file and upgrade_schema()") {
    s.current = false, s.changed = {&kFiles[0], &kFiles[5]};
    CHECK(labels(plan_module(pgq, s, options_with(), "db x")) ==
          "schema/pgq/upgrade_column.sql select pgq.upgrade_schema() schema/pgq/grants.sql ");
  }
  SUBCASE("unknown origin, but the schema it is: functions over it") {
    s.recorded = s.current = false, s.origin = "";
    Plan p = plan_module(pgq, s, options_with(), "db x");
    CHECK(p.action == "taken over");
    CHECK(labels(p) ==
          "schema/pgq/functions/a.sql! schema/pgq/functions/b.sql! select pgq.upgrade_schema() "
          "schema/pgq/grants.sql select skytools.adopt_queues() ");
  }
  SUBCASE("an extension's: recorded and left alone") {
    s.recorded = s.current = false, s.origin = s.extension = "extension", s.extension = "pgq", s.version = "3.5";
    Plan p = plan_module(pgq, s, options_with(true), "db x");
    CHECK(p.action == "adopted");
    CHECK(p.version == "3.5");
    CHECK(p.steps.empty());
    s.version = "3.1.5";
    CHECK_THROWS_AS(plan_module(pgq, s, options_with(), "db x"), Refused);
  }
}

TEST_CASE("what is refused") {
  ModuleState s = installed();
  auto message = [&] {
    try {
      plan_module(pgq, s, options_with(), "db x");
    } catch (const Refused& e) {
      return std::string(e.what());
    }
    return std::string("not refused");
  };
  SUBCASE("newer than the program") {
    s.version = "99.0";
    CHECK(message() == "[db x] schema pgq 99.0 is newer than this program's " + std::string(pgq.version) +
                           "; use the skytools that installed it, or a later one");
  }
  SUBCASE("changes in a schema of another role") {
    s.owner_is_us = s.current = false;
    CHECK(message().starts_with("[db x] schema pgq belongs to role shop; install as that role"));
  }
  SUBCASE("a superuser does not take over what a stranger made") {
    s.recorded = s.current = s.owner_trusted = false, s.origin = "";
    CHECK(message().starts_with("[db x] schema pgq belongs to role shop"));
  }
  SUBCASE("another thing of the same name") {
    s.recorded = s.current = s.fits = false, s.origin = "";
    CHECK(message().starts_with("[db x] schema pgq exists, but is no pgq of version 3"));
  }
}

TEST_CASE("comments at the margin stay here, lines and function bodies stay whole") {
  std::string sql =
      "-- a → b\n"
      "create function f() returns text as $body$\n"
      "-- inside\n"
      "  select $$x$$\n"
      "-- still inside\n"
      "$body$ language sql;\n"
      "-- tail\n";
  CHECK(text_to_send(sql, true) ==
        "\ncreate function f() returns text as $body$\n-- inside\n  select $$x$$\n-- still inside\n$body$ language "
        "sql;\n\n");
  CHECK(
      text_to_send(sql, false) ==
      "create function f() returns text as $body$\n-- inside\n  select $$x$$\n-- still inside\n$body$ language sql;\n");
  CHECK(text_to_send("select $1;\n-- gone\nselect '$';\n-- gone", false) == "select $1;\nselect '$';\n");
}

TEST_CASE("what is sent of our files fits every encoding of a database") {
  for (const File& f : embedded().files) {
    if (!f.path.ends_with(".sql")) continue;
    std::string sent = text_to_send(f.text, true);
    auto foreign = std::find_if(sent.begin(), sent.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    CAPTURE(std::string(f.path));
    CAPTURE(std::count(sent.begin(), foreign, '\n') + 1);
    CHECK(foreign == sent.end());
  }
}

TEST_CASE("our files have no transaction commands and no psql commands, and every module has its grants") {
  for (const Module& m : kModules) {
    auto files = files_of(m.name, embedded().files);
    CAPTURE(std::string(m.name));
    CHECK(std::count_if(files.begin(), files.end(), [](auto& f) { return f.kind == Kind::grants; }) == 1);
    CHECK(std::count_if(files.begin(), files.end(), [](auto& f) { return f.kind == Kind::tables; }) >= 1);
    for (auto& [file, kind] : files) {
      CAPTURE(std::string(file->path));
      std::string lines = "\n" + text_to_send(file->text, true);
      for (auto bad : {"\n\\", "\nbegin;", "\ncommit", "\nBEGIN;", "\nCOMMIT"})
        CHECK(lines.find(bad) == std::string::npos);
      if (kind == Kind::function)
        CHECK(lines.find("create or replace function " + std::string(m.name) + ".") != std::string::npos);
    }
  }
}

TEST_CASE("facts survive writing and reading") {
  std::vector<Fact> facts = {{"pgq", "table pgq.queue", "constraint c", "CHECK (a = '\t\\\n')"},
                             {"pgq", "role pgq_admin", "settings", ""}};
  CHECK(read_facts(write_facts(facts)) == facts);
  CHECK_THROWS_WITH_AS(read_facts("# head\na\tb\tc\n"), "schema/fingerprint.tsv:2: not four fields", Error);
  CHECK_THROWS_AS(read_facts("a\tb\tc\td\te\n"), Error);
}

TEST_CASE("differences are told per object") {
  std::vector<Fact> want = {{"pgq", "function pgq.a()", "body", "1"},
                            {"pgq", "function pgq.a()", "result", "text"},
                            {"pgq", "function pgq.b()", "body", "2"},
                            {"londiste", "schema londiste", "exists", "yes"}};
  CHECK(differences(want, want, "pgq").empty());
  std::vector<Fact> have = {{"pgq", "function pgq.a()", "body", "9"},
                            {"pgq", "function pgq.a()", "result", "integer"},
                            {"pgq", "function pgq.a()", "grant to PUBLIC", "execute"},
                            {"pgq", "table pgq.event_1", "options", ""}};
  CHECK(differences(want, have, "pgq") ==
        std::vector<std::string>{
            "function pgq.a(): body differs", "function pgq.a(): result is 'integer', expected 'text'",
            "function pgq.a(): unexpected grant to PUBLIC: execute", "function pgq.b() is missing"});
}

TEST_CASE("the embedded fingerprint knows every module") {
  auto facts = read_facts(embedded().fingerprint);
  for (const Module& m : kModules) {
    CAPTURE(std::string(m.name));
    CHECK(std::count(facts.begin(), facts.end(),
                     Fact{std::string(m.name), "schema " + std::string(m.name), "exists", "yes"}) == 1);
  }
}

TEST_CASE("the script holds all modules in order, in one transaction") {
  std::string script = install_script({});
  std::size_t last = script.find("\nbegin;");
  CHECK(last != std::string::npos);
  for (const Module& m : kModules) {
    auto at = script.find("-- module " + std::string(m.name) + "\n");
    CHECK(at != std::string::npos);
    CHECK(at > last);
    last = at;
  }
  CHECK(script.ends_with("\ncommit;\n"));
  CHECK(install_script({"pgq"}).find("-- module londiste") == std::string::npos);
}
