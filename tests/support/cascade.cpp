#include "tests/support/cascade.h"

#include <csignal>

#include "core/base/error.h"

namespace skytools::test {

namespace {

constexpr const char* kQueue = "set";

void succeed(const Output& o, const std::string& what) {
  if (o.exit != 0) throw Error(what + " ended with " + std::to_string(o.exit) + ": " + o.err);
}

std::string type_of(const std::string& name) { return name.substr(0, name.find_first_of("0123456789")); }

}  // namespace

void install_template(run::ThrowawayServer& server) {
  std::string db = server.conninfo("template1");
  if (query(db, "select to_regclass('londiste.table_info') is null") != "t") return;
  succeed(run_skytools({"install", "--db", db}), "install");
}

std::string checksum(const std::string& conninfo, const std::string& table) {
  return query(conninfo, "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from " + table + " t");
}

Cascade::Cascade(std::vector<NodePlan> plan, bool with_ticker) : plan_(std::move(plan)) {
  for (auto& node : plan_) {
    auto& on = node.server ? *node.server : server();
    install_template(on);
    databases_[node.name] = std::make_unique<Database>(on);
  }
  if (with_ticker) start_ticker();
  for (auto& node : plan_) {
    std::vector<std::string> args{"create-" + type_of(node.name), node.name};
    if (!node.provider.empty()) args.insert(args.end(), {"--provider", conninfo(node.provider)});
    run(node.name, args);
  }
}

Cascade::~Cascade() {
  for (auto& [name, worker] : workers_) worker->signal(SIGTERM);
  workers_.clear();
  ticker_.reset();
}

void Cascade::everywhere(const std::string& sql) const {
  for (auto& node : plan_) query(node.name, sql);
}

Output Cascade::try_run(const std::string& node, std::vector<std::string> args, ProgramOptions options) const {
  args.insert(args.begin(), "londiste");
  args.insert(args.end(), {"--db", conninfo(node), "-Q", kQueue});
  return run_skytools(args, options);
}

Output Cascade::try_cascade(const std::string& node, std::vector<std::string> args, ProgramOptions options) const {
  args.insert(args.begin(), "cascade");
  args.insert(args.end(), {"--db", conninfo(node), "-Q", kQueue});
  return run_skytools(args, options);
}

std::string Cascade::run(const std::string& node, std::vector<std::string> args) const {
  std::string what = node + ": " + args.at(0);
  Output o = try_run(node, std::move(args));
  succeed(o, what);
  return o.out;
}

Background& Cascade::start(const std::string& node, ProgramOptions options, std::vector<std::string> args) {
  args.insert(args.begin(), {"londiste", "worker", "--db", conninfo(node), "-Q", kQueue, "--exception-sleep", "1s"});
  workers_.erase(node);  // the lock of the old one must be free
  return *(workers_[node] = std::make_unique<Background>(args, options));
}

void Cascade::start_all() {
  for (auto& node : plan_) start(node.name);
}

void Cascade::stop(const std::string& node) {
  int code = worker(node).stop();
  if (code != 0)
    throw Error("the worker of " + node + " ended with " + std::to_string(code) + ": " + worker(node).log());
  workers_.erase(node);
}

void Cascade::start_ticker() { start_ticker({plan_.at(0).name}); }

void Cascade::start_ticker(const std::vector<std::string>& nodes) {
  ticker_.reset();
  std::vector<std::string> args{"ticker"};
  for (auto& node : nodes) args.insert(args.end(), {"--db", conninfo(node)});
  ticker_ = std::make_unique<Background>(args);
}

void Cascade::add_tables(const std::vector<std::string>& tables, const std::vector<std::string>& options) {
  for (auto& node : plan_) {
    std::vector<std::string> args{"add-table"};
    args.insert(args.end(), tables.begin(), tables.end());
    if (!node.provider.empty()) {
      args.insert(args.end(), options.begin(), options.end());
      args.insert(args.end(), {"--wait-sync", "--timeout", "30s"});
    }
    run(node.name, args);
  }
}

std::int64_t Cascade::tick() {
  std::string newest = "select coalesce(max(tick_id), 0) from pgq.tick";
  std::int64_t before = std::stoll(query(root_, newest));
  // A running ticker may be at it at the same time; both know the other's tick.
  bool made = eventually(std::chrono::seconds(20), [&] {
    query(root_, "select pgq.force_tick('set')");
    query(root_, "select pgq.ticker('set')");
    return std::stoll(query(root_, newest)) > before;
  });
  if (!made) throw Error("no tick was made");
  return std::stoll(query(root_, newest));
}

std::int64_t Cascade::position(const std::string& node) const {
  return std::stoll(query(node, "select coalesce(max(worker_last_tick), 0) from pgq_node.get_node_info('set')"));
}

std::string Cascade::error(const std::string& node) const {
  return query(node,
               "select coalesce(string_agg(cur_error, ''), '') from pgq_node.local_state where queue_name = 'set'");
}

void Cascade::sync(const std::string& node, milliseconds limit) {
  std::int64_t wanted = tick();
  if (eventually(limit, [&] { return position(node) >= wanted; })) return;
  std::string log = workers_.contains(node) ? worker(node).log() : "no worker runs";
  throw TimedOut(node + " is at tick " + std::to_string(position(node)) + ", not " + std::to_string(wanted) +
                 "; error: '" + error(node) + "'; log: " + log);
}

void Cascade::sync_all() {
  for (auto& node : plan_)
    if (workers_.contains(node.name) && node.name != root_) sync(node.name);
}

std::string Cascade::difference(const std::vector<std::string>& tables) const {
  for (auto& table : tables) {
    std::string wanted = checksum(conninfo(root_), table);
    for (auto& node : plan_)
      if (std::string here = checksum(conninfo(node.name), table); here != wanted)
        return table + ": " + root_ + " " + wanted + ", " + node.name + " " + here;
  }
  return "";
}

std::string Cascade::leftovers() const {
  std::string found;
  for (auto& node : plan_) {
    std::string states =
        query(node.name,
              "select coalesce(string_agg(table_name || ' ' || coalesce(merge_state, 'NULL'), ', '), '')"
              " from londiste.table_info where local and coalesce(merge_state, '') <> 'ok'");
    std::string local = query(node.name,
                              "select coalesce(string_agg(consumer_name, ', '), '') from pgq_node.local_state"
                              " where consumer_name like '%.copy.%'");
    std::string consumers =
        query(node.name,
              "select coalesce(string_agg(co_name, ', '), '') from pgq.consumer"
              " where co_name like '%.copy.%' and exists (select 1 from pgq.subscription where sub_consumer = co_id)");
    for (auto& text : {states, local, consumers})
      if (!text.empty()) found += node.name + ": " + text + "; ";
  }
  return found;
}

}  // namespace skytools::test
