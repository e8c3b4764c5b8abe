#include "core/cascade/pause.h"

#include "core/cascade/control.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

struct Found {
  std::string consumer;
  bool paused = false, worker = false;
  bool missing = false;  ///< it is the worker, and no program of ours serves the node
};

Found find(Net& net, const Pause& request) {
  pg::Connection& c = net.at(request.node);
  pg::Transaction tx(c, pg::Mode::autocommit);
  auto info = node_info(tx, net.queue());
  if (!info) throw Error("[" + c.label() + "] there is no node of queue " + net.queue());
  Found out;
  out.worker = request.consumer.empty() || request.consumer == info->worker_name;
  out.consumer = out.worker ? info->worker_name : request.consumer;
  auto state = consumer_state(tx, net.queue(), out.consumer);
  if (!state)
    throw Error("[" + c.label() + "] queue " + net.queue() + " has no cascaded consumer " + out.consumer + " on node " +
                request.node);
  out.paused = state->paused;
  out.missing = out.worker && !ours_runs(tx, net.queue());
  return out;
}

}  // namespace

PauseResult pause(Net& net, Steps& steps, const Pause& request) {
  Found found = find(net, request);
  PauseResult result{found.consumer, found.paused != request.paused};
  const std::string verb = request.paused ? "pause " : "resume ";
  if (found.missing)
    log::warning("no skytools worker runs on node " + request.node + "; waiting for whoever serves it");
  Call call{"pgq_node.set_consumer_paused($1, $2, $3)", {net.queue(), found.consumer, request.paused}};
  auto run = [&] {
    try {
      set_paused(net.at(request.node), net.queue(), found.consumer, request.paused, Deadline(request.limit));
    } catch (const TimedOut& e) {
      throw TimedOut(std::string(e.what()) + ": " +
                     (found.missing ? "no worker is running there; " : "is it running? ") +
                     "the flag stays set, it will " + (request.paused ? "stand still" : "go on") + " once it runs");
    }
  };
  if (result.changed)
    steps.take(request.node, verb + found.consumer + " of " + request.node, call.text(), run);
  else if (!steps.dry_run())
    run();  // an earlier command may have set the flag without having seen the acknowledgement
  return result;
}

}  // namespace skytools::cascade
