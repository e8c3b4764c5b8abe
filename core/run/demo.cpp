#include "core/run/demo.h"

#include <cmath>
#include <fstream>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/pg/transaction.h"
#include "core/run/demo_compare.h"
#include "core/run/demo_data.h"
#include "core/run/demo_world.h"

namespace skytools::run {

namespace {

constexpr auto kPoll = milliseconds(50);
constexpr auto kBetweenSwitches = std::chrono::seconds(2);  ///< the load writes on each root for so long at least
constexpr auto kCatchUpLimit = std::chrono::minutes(5);
constexpr const char* kScale = "1";       ///< of pgbench: 100000 accounts each
constexpr const char* kLoadRate = "300";  ///< transactions per second, so that two cores can follow
constexpr const char* kLoadClients = "4";

milliseconds since(Clock::time_point start) { return std::chrono::duration_cast<milliseconds>(Clock::now() - start); }

class Demo {
 public:
  Demo(const DemoOptions& options, const StopToken& stop)
      : options_(options), world_(options.folder, options.keep, stop) {}
  DemoReport run();

  void start_servers();
  void install();
  void fill_root();
  void create_nodes();
  void start_workers();
  void add_to_root();
  void start_load();
  void copy_to_branch() { copy_to("branch"); }
  void copy_to_leaf() { copy_to("leaf"); }
  void switch_to_branch() { switch_to("branch"); }
  void switch_back() { switch_to("root"); }
  void end_load();
  void catch_up();
  void compare_nodes();

 private:
  const std::string& conninfo(const std::string& node) const;
  std::vector<std::string> command(const std::string& node, std::vector<std::string> words) const;
  void copy_to(const std::string& node);
  void load(const std::string& node);
  void switch_to(const std::string& node);

  const DemoOptions& options_;
  DemoWorld world_;
  DemoReport report_;
  Clock::time_point load_start_;
  std::int64_t transactions_ = 0;  ///< of the load before it was refused
  std::string note_;               ///< what a step has to tell, after its title
};

/// The story. A step that cannot do its part throws; the next one may rely on it.
struct Step {
  const char* title;
  void (Demo::*run)();
};
constexpr Step kSteps[] = {
    {"start two PostgreSQL servers", &Demo::start_servers},
    {"install the schemas in three databases", &Demo::install},
    {"create tables and rows on the root", &Demo::fill_root},
    {"make the root, a branch behind it and a leaf behind the branch", &Demo::create_nodes},
    {"start a ticker for each server and a worker for each node", &Demo::start_workers},
    {"put tables and sequences of the root into the set", &Demo::add_to_root},
    {"start a load on the root", &Demo::start_load},
    {"copy everything to the branch while the load runs", &Demo::copy_to_branch},
    {"copy everything from the branch to the leaf", &Demo::copy_to_leaf},
    {"end the load", &Demo::end_load},
    {"wait until all nodes are at the same tick", &Demo::catch_up},
    {"compare all tables on all nodes", &Demo::compare_nodes},
    {"start the load again", &Demo::start_load},
    {"make the branch the root while clients write", &Demo::switch_to_branch},
    {"make the old root the root again while clients write", &Demo::switch_back},
    {"end the load again", &Demo::end_load},
    {"wait until all nodes are at the same tick again", &Demo::catch_up},
    {"compare all tables again", &Demo::compare_nodes},
};

DemoReport Demo::run() {
  for (auto& step : kSteps) {
    auto start = Clock::now();
    note_.clear();
    try {
      (this->*step.run)();
    } catch (const Stopped&) {
      throw;
    } catch (const Error&) {
      std::throw_with_nested(Error(std::string("the demo could not ") + step.title));
    }
    bool differs = step.run == &Demo::compare_nodes && !report_.equal();
    options_.say(std::string(step.title) + (note_.empty() ? "" : ": " + note_) + " (" + format_duration(since(start)) +
                 ")");
    if (differs) break;  // told by the report
  }
  report_.folder = world_.folder();
  if (options_.keep) {
    report_.kept_pids = world_.pids();
    world_.release();
  }
  return report_;
}

const std::string& Demo::conninfo(const std::string& node) const {
  for (auto& n : report_.nodes)
    if (n.name == node) return n.conninfo;
  throw Error("no node " + node);
}

std::vector<std::string> Demo::command(const std::string& node, std::vector<std::string> words) const {
  std::vector<std::string> args{"--db", conninfo(node), "--queue", kDemoQueue};
  args.insert(args.end(), words.begin(), words.end());
  return args;
}

void Demo::start_servers() {
  auto& first = world_.add_server();
  auto& second = world_.add_server();
  report_.nodes = {{"root", first.new_database("demo_root")},
                   {"branch", second.new_database("demo_branch")},
                   {"leaf", second.new_database("demo_leaf")}};
  pg::Connection c("root", conninfo("root"));
  note_ = "version " + std::to_string(c.server_version() / 10000) + "." + std::to_string(c.server_version() % 10000) +
          ", in " + world_.folder().string();
}

void Demo::install() {
  for (auto& node : report_.nodes) world_.skytools({"--db", node.conninfo, "install"});
}

void Demo::fill_root() {
  world_.postgres_program("pgbench", {"-i", "-q", "-s", kScale, conninfo("root")});
  pg::Connection c("root", conninfo("root"), {.stop = &world_.stop()});
  pg::Transaction(c, pg::Mode::autocommit).script(std::string(kDemoTables));
}

void Demo::create_nodes() {
  world_.skytools(command("root", {"londiste", "create-root", "root", conninfo("root")}));
  world_.skytools(
      command("branch", {"londiste", "create-branch", "branch", conninfo("branch"), "--provider", conninfo("root")}));
  world_.skytools(
      command("leaf", {"londiste", "create-leaf", "leaf", conninfo("leaf"), "--provider", conninfo("branch")}));
}

void Demo::start_workers() {
  world_.start_skytools("ticker-1", {"--db", conninfo("root"), "ticker"});
  world_.start_skytools("ticker-2", {"--db", conninfo("branch"), "--db", conninfo("leaf"), "ticker"});
  for (auto& node : report_.nodes)
    world_.start_skytools("worker-" + node.name, command(node.name, {"londiste", "worker"}));
}

void Demo::add_to_root() {
  for (std::string what : {"add-seq", "add-table"}) {
    auto args = command("root", {"londiste", what});
    args.insert(args.end(), std::begin(kDemoPatterns), std::end(kDemoPatterns));
    world_.skytools(args);
  }
}

void Demo::load(const std::string& node) {
  auto script = world_.folder() / "load.sql";
  std::ofstream(script) << kDemoLoad;
  world_.start_load(
      {"-n", "-c", kLoadClients, "-R", kLoadRate, "-b", "tpcb-like@9", "-f", script.string() + "@1", conninfo(node)});
}

void Demo::start_load() {
  load("root");
  load_start_ = Clock::now();
  transactions_ = 0;
  note_ = std::string(kLoadRate) + " transactions per second from " + kLoadClients + " clients";
}

/// The clients are refused by the old root, and come back to the new one.
void Demo::switch_to(const std::string& node) {
  world_.wait(kBetweenSwitches);
  world_.expect_refusal();
  constexpr std::string_view kKey = "\"write_pause\": ";
  std::string said = world_.skytools(command(node, {"londiste", "switchover", "--to", node, "--yes", "--json"}));
  auto at = said.find(kKey);
  if (at == std::string::npos) throw Error("switchover told no write pause");
  report_.pauses.emplace_back(std::lround(std::stod(said.substr(at + kKey.size())) * 1000));
  transactions_ += world_.wait_refused();
  load(node);
  note_ = "writers waited " + format_duration(report_.pauses.back());
}

void Demo::copy_to(const std::string& node) {
  auto start = Clock::now();
  for (std::string what : {"add-seq", "add-table"}) {
    auto args = command(node, {"londiste", what, "--create"});
    if (what == "add-table") args.emplace_back("--wait-sync");
    args.insert(args.end(), std::begin(kDemoPatterns), std::end(kDemoPatterns));
    world_.skytools(args);
  }
  report_.copy += since(start);
}

void Demo::end_load() {
  bool first = report_.pauses.empty();
  if (auto ran = since(load_start_); first && ran < options_.load) world_.wait(options_.load - ran);
  if (!first) world_.wait(kBetweenSwitches);
  auto done = transactions_ + world_.end_load();
  note_ = std::to_string(done) + " transactions in " + format_duration(since(load_start_));
}

void Demo::catch_up() {
  auto start = Clock::now();
  std::int64_t before = request_tick(report_.nodes[0], world_.stop());
  for (Deadline deadline(kCatchUpLimit);; world_.wait(kPoll)) {
    if (deadline.passed()) throw TimedOut("not all nodes caught up within " + format_duration(kCatchUpLimit));
    if (common_tick(report_.nodes, world_.stop()) > before) break;
  }
  report_.catch_up = since(start);
}

void Demo::compare_nodes() {
  compare(report_, world_.stop());
  note_ = "tick " + std::to_string(report_.tick);
}

}  // namespace

std::vector<std::string> demo_steps() {
  std::vector<std::string> out;
  for (auto& step : kSteps) out.emplace_back(step.title);
  return out;
}

DemoReport run_demo(const DemoOptions& options, const StopToken& stop) { return Demo(options, stop).run(); }

}  // namespace skytools::run
