#include "tests/support/net.h"

#include <algorithm>
#include <csignal>

#include "core/base/error.h"
#include "tests/support/cascade.h"

namespace skytools::test {

namespace {
constexpr milliseconds kPatience = std::chrono::seconds(40);
}

Net::Net(const std::vector<std::string>& databases) {
  install_template(server());
  for (auto& name : databases) {
    databases_[name] = std::make_unique<Database>();
    tickers_[name] = std::make_unique<Background>(std::vector<std::string>{"ticker", "--db", conninfo(name)});
  }
}

Net::~Net() {
  for (auto* group : {&workers_, &tickers_})
    for (auto& [name, process] : *group) process->signal(SIGTERM);
  workers_.clear();
  tickers_.clear();
}

Output Net::try_run(const std::string& noun, const std::string& db, const std::string& queue,
                    std::vector<std::string> args) const {
  args.insert(args.begin(), noun);
  args.insert(args.end(), {"--db", conninfo(db), "-Q", queue});
  return run_skytools(args);
}

std::string Net::run(const std::string& noun, const std::string& db, const std::string& queue,
                     std::vector<std::string> args) const {
  std::string what = noun + " " + args.at(0) + " of " + node_name(db, queue);
  Output o = try_run(noun, db, queue, std::move(args));
  if (o.exit != 0) throw Error(what + " ended with " + std::to_string(o.exit) + ": " + o.err);
  return o.out;
}

void Net::node(const std::string& db, const std::string& queue, const std::string& type, const std::string& provider,
               std::vector<std::string> args) const {
  args.insert(args.begin(), {"create-" + type, node_name(db, queue)});
  if (!provider.empty()) args.insert(args.end(), {"--provider", conninfo(provider)});
  run("londiste", db, queue, std::move(args));
}

Background& Net::start(const std::string& db, const std::string& queue, std::vector<std::string> command,
                       const ProgramOptions& options) {
  command.insert(command.end(), {"--db", conninfo(db), "-Q", queue});
  if (std::find(command.begin(), command.end(), "--exception-sleep") == command.end())
    command.insert(command.end(), {"--exception-sleep", "1s"});
  std::string key = db + "/" + queue;
  workers_.erase(key);  // the lock of the old one must be free
  return *(workers_[key] = std::make_unique<Background>(command, options));
}

void Net::stop(const std::string& db, const std::string& queue) {
  // Earlier a signal would end it before it can listen to signals.
  eventually(kPatience, [&] { return worker(db, queue).logged("starts") || !worker(db, queue).running(); });
  int code = worker(db, queue).stop();
  if (code != 0)
    throw Error("the worker of " + node_name(db, queue) + " ended with " + std::to_string(code) + ": " +
                worker(db, queue).log());
  workers_.erase(db + "/" + queue);
}

std::int64_t Net::tick(const std::string& db, const std::string& queue) const {
  std::string newest = "select last_tick_id from pgq.get_queue_info('" + queue + "')";
  std::int64_t before = std::stoll(query(db, newest));
  bool made = eventually(kPatience, [&] {
    query(db, "select pgq.force_tick('" + queue + "')");
    query(db, "select pgq.ticker('" + queue + "')");
    return std::stoll(query(db, newest)) > before;
  });
  if (!made) throw Error("no tick was made");
  return std::stoll(query(db, newest));
}

std::int64_t Net::position(const std::string& db, const std::string& queue, const std::string& consumer) const {
  std::string name = consumer.empty()
                         ? "(select worker_name from pgq_node.node_info where queue_name = '" + queue + "')"
                         : "'" + consumer + "'";
  return std::stoll(query(db, "select last_tick_id from pgq_node.local_state where queue_name = '" + queue +
                                  "' and consumer_name = " + name));
}

std::string Net::errors(const std::string& db) const {
  return query(db,
               "select coalesce(string_agg(consumer_name || ': ' || cur_error, '; '), '') from pgq_node.local_state");
}

void Net::reach(const std::string& db, const std::string& queue, std::int64_t tick, const std::string& consumer) {
  if (eventually(kPatience, [&] { return position(db, queue, consumer) >= tick; })) return;
  std::string key = db + "/" + queue;
  throw TimedOut(node_name(db, queue) + " is at tick " + std::to_string(position(db, queue, consumer)) + ", not " +
                 std::to_string(tick) + "; errors: '" + errors(db) +
                 "'; log: " + (workers_.contains(key) ? workers_.at(key)->log() : "no worker runs"));
}

}  // namespace skytools::test
