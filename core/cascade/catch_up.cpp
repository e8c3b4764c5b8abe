#include "core/cascade/catch_up.h"

#include "core/cascade/control.h"
#include "core/log/log.h"
#include "core/pgq/api.h"
#include "core/pgq/tick_now.h"

namespace skytools::cascade {

namespace {

NodeInfo info_at(Net& net, const std::string& node) {
  pg::Connection& c = net.at(node);
  pg::Transaction tx(c, pg::Mode::autocommit);
  auto info = node_info(tx, net.queue());
  if (!info) throw Error("[" + c.label() + "] there is no node of queue " + net.queue());
  return *info;
}

/// What was committed on the root may not be in any tick yet.
std::int64_t last_tick_of(Net& net, const std::string& node, const Deadline& deadline) {
  pg::Connection& c = net.at(node);
  if (info_at(net, node).type == NodeType::root) return pgq::tick_now(c, net.queue(), deadline);
  pg::Transaction tx(c, pg::Mode::autocommit);
  return pgq::newest_tick(tx, net.queue()).value_or(0);
}

}  // namespace

std::string root_name(Net& net) {
  std::string at = net.local_name();
  for (std::size_t hops = 0; hops <= net.peers().size(); ++hops) {
    auto info = info_at(net, at);
    if (info.type == NodeType::root) return at;
    at = info.provider_node;
  }
  throw Error("the providers of queue " + net.queue() + " form a circle");
}

std::int64_t catch_up(Net& net, const std::string& node, const Deadline& deadline) {
  std::int64_t tick = last_tick_of(net, node, deadline);
  auto info = info_at(net, net.local_name());
  log::info("waiting for tick " + std::to_string(tick) + " of " + node, {{"node", net.local_name()}});
  wait_until(net.local(), net.queue(), "tick " + std::to_string(tick) + " of " + node + "; is the worker running?",
             deadline, [&](pg::Transaction& tx) {
               auto state = consumer_state(tx, net.queue(), info.worker_name);
               return state && state->completed_tick >= tick;
             });
  return tick;
}

}  // namespace skytools::cascade
