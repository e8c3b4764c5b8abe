#include <doctest/doctest.h>

#include <cstdlib>

#include "core/base/error.h"
#include "core/config/ini.h"
#include "core/config/legacy.h"
#include "core/config/sample.h"

using namespace skytools;
using namespace skytools::config;
using Words = std::vector<std::string>;

namespace {

constexpr Option kLondiste[] = {
    {.key = "loop_delay", .type = Type::duration, .fallback = "1s", .help = "pause"},
    {.key = "copy.parallel", .type = Type::integer, .fallback = "1", .help = "copies"},
};
constexpr Option kTicker[] = {
    {.key = "database_list", .type = Type::list, .help = "names of databases"},
    {.key = "base_connstr", .help = "how to reach them"},
    {.key = "discover", .type = Type::boolean, .help = "find the databases"},
    {.key = "ticker_period", .type = Type::duration, .fallback = "1s", .help = "pause between calls"},
};
constexpr Option kMove[] = {
    {.key = "from", .help = "source"},
    {.key = "to", .help = "target"},
    {.key = "to_queue", .help = "queue"},
    {.key = "consumer", .help = "name"},
    {.key = "min_count", .type = Type::integer, .help = "events"},
};
const JobTypes kTypes = {{"londiste", kLondiste}, {"ticker", kTicker}, {"consumer_move", kMove}};

JobFile parse(const std::string& text) { return parse_legacy(text, "/etc/skytools/repl.ini", kTypes); }

std::string problem(const std::string& text) {
  try {
    parse(text);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a londiste file of the original") {
  setenv("HOME", "/home/me", 1);
  auto file = parse(
      "; a comment\n"
      "[londiste]\n"
      "job_name = my_%(service_name)s\n"
      "db = dbname=dst\n"
      "   host=db1\n"
      "queue_name: replika\n"
      "logfile = ~/log/%(job_name)s.log\n"
      "pidfile = /run/%(job_name)s.pid\n"
      "parallel_copies = 4\n"
      "use_skylog = 0\n"
      "loop_delay = 0.5\n");
  REQUIRE(file.jobs.size() == 1);
  auto& values = file.jobs[0].values;
  auto text = [&](const char* key) { return values.at(key).items.at(0); };
  CHECK(file.jobs[0].type == "londiste");
  CHECK(text("job") == "my_londiste");
  CHECK(text("db") == "dbname=dst\nhost=db1");
  CHECK(text("queue") == "replika");
  CHECK(text("log.file") == "/home/me/log/my_londiste.log");
  CHECK(text("pid_file") == "/run/my_londiste.pid");
  CHECK(text("copy.parallel") == "4");
  CHECK(text("loop_delay") == "0.5");
  CHECK(values.at("queue").origin == "/etc/skytools/repl.ini:6");
  CHECK(file.warnings == Words{"/etc/skytools/repl.ini:10: 'use_skylog' has no effect here"});
}

TEST_CASE("[DEFAULT] is inherited, and may hold values that are only referred to") {
  auto file =
      parse("[DEFAULT]\nbase = /srv\nqueue_name = shared\n[londiste]\nlogfile = %(base)s/100%%.log\ndb = dbname=a\n");
  CHECK(file.jobs[0].values.at("queue").items.at(0) == "shared");
  CHECK(file.jobs[0].values.at("log.file").items.at(0) == "/srv/100%.log");
}

TEST_CASE("config_format 2 uses dollars and sections") {
  auto file =
      parse("[paths]\nlogs = /srv/log\n[londiste]\nconfig_format = 2\ndb = dbname=a\nlogfile = ${paths:logs}/$$x\n");
  CHECK(file.jobs[0].values.at("log.file").items.at(0) == "/srv/log/$x");
}

TEST_CASE("older spellings of queue and consumer win") {
  auto file =
      parse("[londiste]\nconsumer_name = c\npgq_consumer_id = d\nqueue_name = a\npgq_queue_name = b\njob_name = j\n");
  CHECK(file.jobs[0].values.at("queue").items.at(0) == "b");
  CHECK(file.jobs[0].values.at("job").items.at(0) == "d");
  file = parse("[londiste]\njob_name = j\nconsumer_name = c\n");
  CHECK(file.jobs[0].values.at("job").items.at(0) == "c");
}

TEST_CASE("loop_delay 0 meant to end when there is nothing to do") {
  auto file = parse("[londiste]\nloop_delay = 0\n");
  CHECK(file.jobs[0].values.at("once").items.at(0) == "true");
  CHECK_FALSE(file.jobs[0].values.contains("loop_delay"));
}

TEST_CASE("mistakes are told with their line") {
  CHECK(problem("[londiste]\nqueue_nam = a\n") ==
        "/etc/skytools/repl.ini:2: unknown key 'queue_nam'; did you mean 'queue_name'?");
  CHECK(problem("[londiste]\nqueue_name = a\nqueue_name = b\n") ==
        "/etc/skytools/repl.ini:3: duplicate key 'queue_name'");
  CHECK(problem("queue_name = a\n") == "/etc/skytools/repl.ini:1: a key before the first section");
  CHECK(problem("[londiste]\nnonsense\n") == "/etc/skytools/repl.ini:2: neither a section nor key = value");
  CHECK(problem("[londiste]\ndb = %(nowhere)s\n") == "/etc/skytools/repl.ini:2: refers to 'nowhere', which is not set");
  CHECK(problem("[londiste]\ndb = 50%\n") ==
        "/etc/skytools/repl.ini:2: '%' must be written twice, or begin a reference");
  CHECK(problem("[londiste]\ndb = %(db)s\n") == "/etc/skytools/repl.ini:2: values refer to each other in a circle");
  CHECK(problem("[other]\na = 1\n")
            .starts_with(
                "/etc/skytools/repl.ini: no section of a known service: [londiste], [pgqd], [simple_consumer3]"));
  CHECK(problem("[pgqd]\nsyslog = 0\n[other]\n") ==
        "/etc/skytools/repl.ini:3: section [other] does not belong into a file of pgqd");
}

TEST_CASE("a pgqd file with a list of databases") {
  auto file =
      parse("[pgqd]\nbase_connstr = host=/tmp user=me\ndatabase_list = shop, crm\nticker_period = 0.5\nsyslog = 0\n");
  auto& values = file.jobs[0].values;
  CHECK(file.jobs[0].type == "ticker");
  CHECK(values.at("database_list").items == Words{"shop", "crm"});
  CHECK(values.at("base_connstr").items == Words{"host=/tmp user=me"});
  CHECK(values.at("ticker_period").items == Words{"0.5"});
  CHECK_FALSE(values.contains("discover"));
  CHECK(file.warnings.size() == 1);
}

TEST_CASE("a pgqd file without a list discovers its databases") {
  auto file = parse("[pgqd]\n# nothing else\n");
  CHECK(file.jobs[0].values.at("discover").items == Words{"true"});
}

TEST_CASE("a file of a consumer") {
  auto file = parse(
      "[queue_mover3]\njob_name = mover\nsrc_db = dbname=a\ndst_db = dbname=b\nqueue_name = new\npgq_queue_name = q\n"
      "dst_queue_name = q2\npgq_batch_collect_events = 500\npgq_lazy_fetch = 300\n");
  auto& values = file.jobs[0].values;
  CHECK(file.jobs[0].type == "consumer_move");
  for (auto [key, value] : {std::pair{"from", "dbname=a"},
                            {"to", "dbname=b"},
                            {"queue", "q"},
                            {"to_queue", "q2"},
                            {"min_count", "500"},
                            {"job", "mover"}})
    CHECK(values.at(key).items == Words{value});
  CHECK(file.warnings == Words{"/etc/skytools/repl.ini:9: 'pgq_lazy_fetch' has no effect here"});
}

TEST_CASE("what was imported can be written as YAML and read back") {
  auto file = parse("[londiste]\ndb = dbname=dst password=\"x\\y\"\nqueue_name = replika\nparallel_copies = 4\n");
  auto again = parse_yaml(to_yaml(file.jobs[0]), "job.yaml", kTypes);
  CHECK(again.jobs[0].type == "londiste");
  for (auto& [key, value] : file.jobs[0].values) CHECK(again.jobs[0].values.at(key).items == value.items);
}
