#include "tests/support/consumer.h"

#include <fstream>

#include "core/base/error.h"
#include "tests/support/cascade.h"

namespace skytools::test {

namespace {
run::ThrowawayServer& prepared(run::ThrowawayServer& on) {
  install_template(on);
  return on;
}
}  // namespace

QueueWorld::QueueWorld(run::ThrowawayServer& on) : db_(prepared(on)) {
  query(
      "select pgq.create_queue('q'); select pgq.register_consumer('q', 'c');"
      // Each call of the ticker makes a tick, and ids stay without gaps.
      "select pgq.set_queue_config('q', p, '0') from unnest('{ticker_max_lag,ticker_idle_period}'::text[]) p");
}

std::string QueueWorld::read(const std::string& name) const {
  auto file = folder_.path() / name;
  return std::filesystem::exists(file) ? run::read_file(file) : "";
}

void QueueWorld::insert(int n) const {
  query("select count(pgq.insert_event('q', 't', g::text)) from generate_series(1, " + std::to_string(n) + ") g");
}

void QueueWorld::tick() const {
  if (query("select pgq.ticker('q')") == "NULL") throw Error("no tick was made");
}

void QueueWorld::retries_come_back() const {
  query("update pgq.retry_queue set ev_retry_after = now() - interval '1 second'; select pgq.maint_retry_events()");
  tick();
}

std::vector<std::string> QueueWorld::command(const std::string& form, const std::vector<std::string>& args) const {
  std::vector<std::string> argv{"consumer", form, "--db", conninfo(), "-Q", "q", "--consumer", "c"};
  argv.insert(argv.end(), args.begin(), args.end());
  return argv;
}

Output QueueWorld::run(const std::string& form, std::vector<std::string> args, ProgramOptions options) const {
  return run_skytools(command(form, args), options);
}

Output QueueWorld::drain(const std::string& form, const std::vector<std::string>& args) const {
  auto argv = args;
  argv.push_back("--once");
  Output o = run(form, argv);
  if (o.exit != 0) throw Error("consumer " + form + " ended with " + std::to_string(o.exit) + ": " + o.err);
  return o;
}

std::string QueueWorld::script(const std::string& body, const std::string& at_start) const {
  static int number = 0;
  std::string file = path("script" + std::to_string(++number));
  std::ofstream(file) << at_start
                      << "\nwhile read -r line; do\n  id=${line#*\\\"id\\\": }; id=${id%%,*}\n"
                         "  data=${line#*\\\"data\\\": \\\"}; data=${data%%\\\"*}\n"
                      << body << "\ndone\n";
  return "exec sh " + file;
}

ProgramOptions failing(const std::string& points) { return {.env = {{"SKYTOOLS_FAILPOINTS", points}}}; }

}  // namespace skytools::test
