#include <doctest/doctest.h>

#include <cstdlib>

#include "core/base/error.h"
#include "core/config/load.h"
#include "core/config/sample.h"
#include "tests/support/files.h"

using namespace skytools;
using namespace skytools::config;
using namespace std::chrono_literals;
using test::TempFile;
using Words = std::vector<std::string>;

namespace {

constexpr Option kWorker[] = {
    {.key = "provider", .help = "where to read", .connection = true},
    {.key = "apply.max_rows",
     .type = Type::integer,
     .fallback = "10000",
     .help = "rows per flush",
     .when = When::reload},
    {.key = "apply.max_bytes", .type = Type::size, .fallback = "8MB", .help = "bytes per flush"},
    {.key = "loop_delay", .type = Type::duration, .fallback = "1s", .help = "pause after an empty batch"},
    {.key = "tables", .type = Type::list, .help = "tables"},
    {.key = "create", .type = Type::boolean, .help = "create what is missing"},
    {.key = "triggers", .type = Type::boolean, .fallback = "true", .help = "make triggers"},
    {.key = "api.token", .help = "a secret", .secret = true},
};
constexpr Option kTicker[] = {
    {.key = "databases", .type = Type::list, .help = "databases to tick", .flag = "db", .connection = true},
    {.key = "discover", .type = Type::boolean, .help = "find the databases"},
    {.key = "ticker_period", .type = Type::duration, .fallback = "1s", .help = "pause between calls"},
    {.key = "check_period", .type = Type::duration, .fallback = "60s", .help = "pause between discoveries"},
};
const JobTypes kTypes = {{"worker", kWorker}, {"ticker", kTicker}, {"londiste", kWorker}};

Layer flags_of(Options table, const Words& argv) {
  return parse_arguments({table, kDaemonOptions, kGlobalOptions}, argv).flags;
}

Settings load_worker(const Words& argv, std::string_view type = "worker", Options table = kWorker) {
  return load({.tables = {table, kDaemonOptions, kGlobalOptions},
               .flags = flags_of(table, argv),
               .types = kTypes,
               .wanted_type = type})
      .settings;
}

std::string problem(auto&& action) {
  try {
    action();
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

std::string yaml_problem(const std::string& text) {
  return problem([&] { parse_yaml(text, "job.yaml", kTypes); });
}

struct Variable {
  const char* name;
  Variable(const char* n, const char* value) : name(n) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name); }
};

}  // namespace

TEST_CASE("names are derived from the key") {
  CHECK(flag_name(kWorker[1]) == "apply-max-rows");
  CHECK(environment_name(kWorker[1]) == "SKYTOOLS_APPLY_MAX_ROWS");
  CHECK(flag_name(kTicker[0]) == "db");
  CHECK(environment_name(kTicker[0]) == "SKYTOOLS_DATABASES");
}

TEST_CASE("flags: long, short, clustered, repeated, negated") {
  auto parsed = parse_arguments({kWorker, kGlobalOptions},
                                {"--apply-max-rows=5", "t1", "-Q", "q1", "-vv", "-qJname", "--tables", "a,b",
                                 "--tables", "c", "--no-triggers", "--db", "x=1", "--db", "x=2", "--", "--create"});
  auto item = [&](const char* key) { return parsed.flags.at(key).items; };
  CHECK(parsed.words == Words{"t1", "--create"});
  CHECK(item("apply.max_rows") == Words{"5"});
  CHECK(item("queue") == Words{"q1"});
  CHECK(item("verbose") == Words{"2"});
  CHECK(item("quiet") == Words{"1"});
  CHECK(item("job") == Words{"name"});
  CHECK(item("tables") == Words{"a,b", "c"});
  CHECK(item("triggers") == Words{"false"});
  CHECK(item("db") == Words{"x=2"});
  CHECK_FALSE(parsed.flags.contains("create"));
  CHECK(parsed.flags.at("queue").origin == "flag --queue");
}

TEST_CASE("a command's flag shadows the global one of the same name") {
  auto parsed = parse_arguments({kTicker, kGlobalOptions}, {"--db", "dbname=a", "--db", "dbname=b"});
  CHECK(parsed.flags.at("databases").items == Words{"dbname=a", "dbname=b"});
  CHECK_FALSE(parsed.flags.contains("db"));
}

TEST_CASE("mistakes on the command line are told with a suggestion") {
  auto error = [](const Words& argv) { return problem([&] { flags_of(kWorker, argv); }); };
  CHECK(error({"--apply-max-row", "5"}) == "unknown option --apply-max-row; did you mean --apply-max-rows?");
  CHECK(error({"--zzzzzzzz"}) == "unknown option --zzzzzzzz");
  CHECK(error({"-Z"}) == "unknown option -Z");
  CHECK(error({"--db"}) == "option --db needs a value");
  CHECK(error({"--json=1"}) == "option --json takes no value");
  CHECK(error({"--apply-max"}) != "");  // no guessing from prefixes
}

TEST_CASE("layers: flag, --set, environment, job, defaults, built-in") {
  TempFile file(
      "job.yaml",
      "defaults: { loop_delay: 4s, apply: { max_rows: 4 } }\njobs: { w: { type: worker, loop_delay: 3s } }\n");
  auto settings = load_worker({"-c", file.path});
  CHECK(settings.duration("loop_delay") == 3s);
  CHECK(settings.origin("loop_delay") == file.path + ":2");
  CHECK(settings.integer("apply.max_rows") == 4);
  CHECK(settings.origin("apply.max_rows") == file.path + ":1");
  CHECK(settings.size("apply.max_bytes") == 8 << 20);
  CHECK(settings.origin("apply.max_bytes") == "built-in");
  CHECK(settings.text("job") == "w");

  Variable variable("SKYTOOLS_LOOP_DELAY", "2s");
  settings = load_worker({"-c", file.path});
  CHECK(settings.duration("loop_delay") == 2s);
  CHECK(settings.origin("loop_delay") == "env SKYTOOLS_LOOP_DELAY");
  settings = load_worker({"-c", file.path, "--set", "loop_delay=1500ms"});
  CHECK(settings.duration("loop_delay") == 1500ms);
  CHECK(settings.origin("loop_delay") == "flag --set loop_delay");
  settings = load_worker({"-c", file.path, "--set", "loop_delay=1500ms", "--loop-delay", "1s"});
  CHECK(settings.duration("loop_delay") == 1s);
}

TEST_CASE("the database layer is weaker than the file and stronger than what is built in") {
  Layer database = {{"loop_delay", {{"9s"}, "database"}}, {"apply.max_rows", {{"9"}, "database"}}};
  TempFile file("job.yaml", "type: worker\nloop_delay: 3s\n");
  auto settings = load({.tables = {kWorker, kGlobalOptions},
                        .flags = flags_of(kWorker, {"-c", file.path}),
                        .types = kTypes,
                        .wanted_type = "worker",
                        .database = database})
                      .settings;
  CHECK(settings.duration("loop_delay") == 3s);
  CHECK(settings.integer("apply.max_rows") == 9);
}

TEST_CASE("a value that doesn't fit is an error with its origin") {
  CHECK(problem([] {
          load_worker({"--apply-max-rows", "many"});
        }) == "flag --apply-max-rows: apply.max_rows: not a whole number: 'many'");
  CHECK(problem([] {
          load_worker({"--set", "create=perhaps"});
        }) == "flag --set create: create: 'perhaps' is neither true nor false");
  CHECK(problem([] {
          load_worker({"--log-format", "xml"});
        }) == "flag --log-format: log.format: 'xml' is not one of text, logfmt, json");
  Variable variable("SKYTOOLS_LOOP_DELAY", "soon");
  CHECK(problem([] { load_worker({}); }) == "env SKYTOOLS_LOOP_DELAY: loop_delay: not a duration: 'soon'");
}

TEST_CASE("getters of what nobody declares are a mistake of the program") {
  auto settings = load_worker({});
  CHECK_FALSE(settings.has("nonsense"));
  CHECK_THROWS_AS(settings.text("nonsense"), std::logic_error);
  CHECK_FALSE(settings.has("provider"));
  CHECK(settings.has("loop_delay"));
  CHECK_FALSE(settings.given("loop_delay"));
  CHECK(settings.duration("timeout") == 0ms);
  CHECK(settings.boolean("triggers"));
}

TEST_CASE("YAML: unknown and duplicate keys are errors with their line") {
  CHECK(yaml_problem("type: worker\nloop_delai: 1s\n") ==
        "job.yaml:2: unknown key 'loop_delai'; did you mean 'loop_delay'?");
  CHECK(yaml_problem("type: worker\nloop_delay: 1s\nloop_delay: 2s\n") == "job.yaml:3: duplicate key 'loop_delay'");
  CHECK(yaml_problem("type: worker\napply: { max_rows: 1 }\napply.max_rows: 2\n") ==
        "job.yaml:3: duplicate key 'apply.max_rows'");
  CHECK(yaml_problem("type: worker\naply:\n  max_rows: 1\n") ==
        "job.yaml:3: unknown key 'aply.max_rows'; did you mean 'apply.max_rows'?");
  CHECK(yaml_problem("type: worker\nloop_delay: [1s]\n") == "job.yaml:2: loop_delay must be a single value");
  CHECK(yaml_problem("type: worker\njson: true\n").starts_with("job.yaml:2: unknown key 'json'"));
  CHECK(yaml_problem("jobs: {}\nqueue: a\n").starts_with("job.yaml:2: unknown key 'queue'"));
  CHECK(yaml_problem("type: ticker\nloop_delay: 1s\n").starts_with("job.yaml:2: unknown key 'loop_delay'"));
  CHECK(yaml_problem("type: tickr\n") == "job.yaml:1: unknown job type 'tickr'; did you mean 'ticker'?");
  CHECK(yaml_problem("jobs:\n  a: {type: ticker}\n  a: {type: ticker}\n") == "job.yaml:3: duplicate key 'a'");
  CHECK(yaml_problem("a: [\n").starts_with("job.yaml:2: "));
  CHECK(yaml_problem("- a\n") == "job.yaml:1: the file must hold `key: value` pairs");
  CHECK(yaml_problem("type: worker\n---\ntype: worker\n") == "job.yaml: holds more than one document");
  CHECK(yaml_problem("") == "");
  CHECK(problem([] { read_job_file("/nonexistent.yaml", kTypes); }) ==
        "cannot read '/nonexistent.yaml': No such file or directory");
}

TEST_CASE("lists are sequences or split at commas") {
  auto file =
      parse_yaml("jobs:\n  a: {type: worker, tables: [x, 'y,z']}\n  b: {type: worker, tables: 'x, y'}\n", "f", kTypes);
  CHECK(file.jobs[0].values.at("tables").items == Words{"x", "y,z"});
  CHECK(file.jobs[1].values.at("tables").items == Words{"x", "y"});
}

TEST_CASE("-J picks one of several jobs; a command takes the only one of its type") {
  TempFile file("job.yaml", "jobs:\n  t: {type: ticker}\n  w: {type: worker, queue: q1}\n  v: {type: worker}\n");
  CHECK(load_worker({"-c", file.path, "-J", "w"}).text("queue") == "q1");
  CHECK(problem([&] { load_worker({"-c", file.path}); }) == file.path + ": several jobs, pick one with -J: t, w, v");
  CHECK(problem([&] { load_worker({"-c", file.path, "-J", "x1"}); }).starts_with(file.path + ": no job 'x1'; "));
  CHECK(problem([&] {
          load_worker({"-c", file.path, "-J", "t"});
        }) == file.path + ": job 't' is of type ticker, this command runs type worker");
  CHECK(load_worker({"-c", file.path}, "ticker", kTicker).text("job") == "t");
}

TEST_CASE("a file with one job: its name is the file's, unless said otherwise") {
  TempFile file("shop.yaml", "type: worker\nqueue: q\n");
  CHECK(load_worker({"-c", file.path}).text("job") == "shop");
  CHECK(load_worker({"-c", file.path, "-J", "other"}).text("job") == "other");
  TempFile named("shop2.yaml", "type: worker\njob: inner\n");
  CHECK(load_worker({"-c", named.path}).text("job") == "inner");
  CHECK(problem([&] {
          load_worker({"-c", file.path}, "ticker", kTicker);
        }).find("no job of type ticker") != std::string::npos);
}

TEST_CASE("names of connections are resolved wherever a connection is asked for") {
  TempFile file("job.yaml", "connections: { shop: \"host=db1 dbname=shop\" }\ntype: worker\ndb: shop\n");
  CHECK(load_worker({"-c", file.path}).text("db") == "host=db1 dbname=shop");
  CHECK(load_worker({"-c", file.path, "--provider", "shop"}).text("provider") == "host=db1 dbname=shop");
  CHECK(load_worker({"-c", file.path, "--db", "dbname=x"}).text("db") == "dbname=x");
  CHECK(load_worker({"-c", file.path, "--db", "postgresql://h/x"}).text("db") == "postgresql://h/x");
  CHECK(problem([&] {
          load_worker({"-c", file.path, "--db", "shp"});
        }) == "flag --db: 'shp' is no name of connections:; did you mean 'shop'?");
  CHECK(problem([&] {
          load_worker({"--db", "warehouse"});
        }) ==
        "flag --db: 'warehouse' is no name of connections:; a database of this server is written dbname=warehouse");
}

TEST_CASE("--set refuses keys that are unknown or belong to the command line") {
  CHECK(problem([] {
          load_worker({"--set", "loop_dely=1"});
        }) == "--set: unknown key 'loop_dely'; did you mean 'loop_delay'?");
  CHECK(problem([] { load_worker({"--set", "json=true"}); }).starts_with("--set: unknown key 'json'"));
  CHECK(problem([] { load_worker({"--set", "loop_delay"}); }) == "--set wants KEY=VALUE, not 'loop_delay'");
}

TEST_CASE("secrets and passwords are masked wherever settings are shown") {
  auto settings = load_worker({"--api-token", "hush", "--db", "host=a password='x y' dbname=b"});
  std::string all;
  for (auto& row : settings.show()) all += row.value + "\n";
  CHECK(all.find("hush") == std::string::npos);
  CHECK(all.find("x y") == std::string::npos);
  CHECK(all.find("host=a password=*** dbname=b") != std::string::npos);
  CHECK(mask_password("password=a\\ b user=c") == "password=*** user=c");
  CHECK(mask_password("PASSWORD = 'it\\'s' x=1") == "PASSWORD = *** x=1");
  CHECK(mask_password("postgresql://u:p@ss@h:5/db?sslpassword=q&x=1") ==
        "postgresql://u:***@h:5/db?sslpassword=***&x=1");
  CHECK(mask_password("postgresql://u@h:5/db") == "postgresql://u@h:5/db");
  CHECK(mask_password("no password here") == "no password here");
  // An origin with a bad secret doesn't tell it either.
  CHECK(problem([] { throw UsageError(mask_password("flag --db: password=x")); }) == "flag --db: password=***");
}

TEST_CASE("a sample is a file that can be read as it is, and every key in it can be uncommented") {
  for (auto& type : kTypes) {
    std::string text = sample(type, "help");
    CHECK(parse_yaml(text, "sample", kTypes).jobs.at(0).type == type.name);
    std::string uncommented;
    for (std::size_t at = 0; at < text.size();) {
      auto end = text.find('\n', at);
      std::string line = text.substr(at, end - at);
      uncommented += (line.size() > 1 && line[0] == '#' && line[1] != ' ' ? line.substr(1) : line) + "\n";
      at = end + 1;
    }
    auto job = parse_yaml(uncommented, "sample", kTypes).jobs.at(0);
    for (auto& option : type.options) CHECK(job.values.contains(option.key));
    CHECK_NOTHROW(Settings({type.options, kDaemonOptions, kGlobalOptions}, {job.values}));
  }
}
