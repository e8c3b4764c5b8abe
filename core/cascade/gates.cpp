#include "core/cascade/gates.h"

#include <algorithm>

#include "core/base/duration.h"
#include "core/base/strings.h"
#include "core/cascade/closing.h"
#include "core/cascade/control.h"
#include "core/cascade/foreign.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

using Reasons = std::vector<std::string>;

constexpr milliseconds kHeartbeat(5000);  ///< the original's workers look once a second

struct Scene {
  Net& net;
  const Hooks& hooks;
  Peer& from;
  Peer& to;
  milliseconds limit;
};

Reasons target_worker(Scene& s) {
  if (s.to.info->paused) return {"worker " + s.to.info->worker_name + " of " + s.to.name + " is paused"};
  if (!answers(s.net.at(s.to.name), s.net.queue(), s.to.info->worker_name, kHeartbeat))
    return {"worker " + s.to.info->worker_name + " of " + s.to.name + " does not answer: is it running?"};
  return {};
}

/// A tick of the root says nothing on a node that gets its ticks from elsewhere.
Reasons lineage(Scene& s) {
  const Peer* at = &s.to;
  for (std::size_t hops = 0; at != &s.from && hops <= s.net.peers().size(); ++hops) {
    const Peer* above = s.net.find(at->info->provider_node);
    if (!above || !above->info)
      return {at->name + " reads from " + at->info->provider_node + ", which does not answer: is " + s.from.name +
              " its root?"};
    at = above;
  }
  if (at == &s.from) return {};
  return {"the providers of " + s.to.name + " form a circle"};
}

/// Major versions of the schemas: what one writes the other must read.
Reasons versions(Scene& s) {
  auto of = [&](Peer& p) {
    pg::Transaction tx(s.net.at(p.name), pg::Mode::autocommit);
    auto text = tx.value<std::optional<std::string>>("select pgq.version()").value_or("");
    return text.substr(0, text.find('.'));
  };
  std::string from = of(s.from), to = of(s.to);
  if (from.empty() || to.empty() || from == to) return {};
  return {"schema pgq is of version " + from + " on " + s.from.name + " and " + to + " on " + s.to.name};
}

/// Demotion waits for transactions that write to the queue.
Reasons writers(Scene& s) {
  auto writer = oldest_writer(s.net.at(s.from.name), s.net.queue());
  if (!writer || writer->age < s.limit) return {};
  return {writer->who + " on " + s.from.name + " has been writing in one transaction for " +
          format_duration(writer->age) + ": the write pause would last until it ends"};
}

/// Queues that merge into the set have to merge into it on both nodes.
Reasons parts(Scene& s) {
  if (s.from.info->target_for == s.to.info->target_for) return {};
  auto of = [](const Peer& p) { return p.info->target_for.empty() ? "none" : join(p.info->target_for, ", "); };
  return {"inconsistent targets: into " + s.from.name + " merge " + of(s.from) + "; into " + s.to.name + " " +
          of(s.to)};
}

Reasons layer_above(Scene& s) {
  if (!s.hooks.not_ready) return {};
  return s.hooks.not_ready(s.net.at(s.from.name), s.net.at(s.to.name));
}

struct Gate {
  const char* name;
  Reasons (*check)(Scene&);
};
constexpr Gate kGates[] = {
    {"worker", target_worker}, {"provider", lineage},    {"versions", versions},
    {"open writers", writers}, {"merged queues", parts}, {"tables", layer_above},
};

/// What does not stand in the way, but will be missed afterwards.
void warn_of_the_rest(Scene& s) {
  for (auto& peer : s.net.peers())
    if (!peer.info && !peer.dead) log::warning("node " + peer.name + " does not answer: " + peer.problem);
  const std::string& worker = s.from.info->worker_name;
  bool ours, by_us;
  {
    pg::Transaction tx(s.net.at(s.from.name), pg::Mode::autocommit);
    ours = ours_runs(tx, s.net.queue());
    by_us = marked(tx, s.net.queue(), worker);
  }
  if (s.from.info->paused && !by_us)
    log::warning("worker " + worker + " of " + s.from.name + " is paused: it will not follow the new root");
  // Others are paused for the hand-over, which tells whether they answer.
  else if (ours && !answers(s.net.at(s.from.name), s.net.queue(), worker, kHeartbeat))
    log::warning("worker " + worker + " of " + s.from.name + " does not answer: it will not follow the new root");
  // Only a ticker of ours can be seen.
  pg::Transaction tx(s.net.at(s.to.name), pg::Mode::autocommit);
  bool served = tx.value<bool>(
      "select exists (select 1 from pg_catalog.pg_locks l join pg_catalog.pg_database d on d.oid = l.database where"
      " d.datname = current_database() and l.locktype = 'advisory' and l.classid = 1397446516 and l.objid = 1)");
  if (!served)
    log::warning("[" + s.net.at(s.to.name).label() +
                 "] no skytools ticker serves this database: as the root it needs one");
}

}  // namespace

std::vector<std::string> closed_gates(Net& net, const Hooks& hooks, Peer& from, Peer& to, milliseconds limit) {
  Scene scene{net, hooks, from, to, limit};
  std::vector<std::string> closed;
  for (auto& gate : kGates)
    for (auto& reason : gate.check(scene)) closed.push_back(std::string(gate.name) + ": " + reason);
  warn_of_the_rest(scene);
  return closed;
}

std::optional<milliseconds> rehearse(Net& net, Peer& from, Peer& to, milliseconds limit) {
  pg::Connection& root = net.at(from.name);
  pg::Connection& target = net.at(to.name);
  auto round_trip = [&](pg::Connection& c) {
    auto start = Clock::now();
    pg::Transaction tx(c, pg::Mode::autocommit);
    tx.exec("select 1");
    return std::chrono::ceil<milliseconds>(Clock::now() - start);
  };
  std::int64_t before;
  {
    pg::Transaction tx(root, pg::Mode::autocommit);
    before = pgq::force_tick(tx, net.queue()).value_or(0);
  }
  std::int64_t wanted = 0;
  Deadline deadline(limit);
  try {
    wait_until(root, net.queue(), "a tick", deadline, [&](pg::Transaction& tx) {
      wanted = pgq::newest_tick(tx, net.queue()).value_or(0);
      return wanted > before;
    });
    auto start = Clock::now();
    wait_until(target, net.queue(), "a tick", deadline,
               [&](pg::Transaction& tx) { return pgq::newest_tick(tx, net.queue()).value_or(0) >= wanted; });
    // Besides the last batch: two steps on the root and one on the new root, a few statements each.
    return std::chrono::ceil<milliseconds>(Clock::now() - start) + 6 * round_trip(root) + 4 * round_trip(target);
  } catch (const TimedOut&) {
    return std::nullopt;
  }
}

}  // namespace skytools::cascade
