#include "core/cascade/resurrect.h"

#include <algorithm>
#include <filesystem>

#include "core/base/quote.h"
#include "core/cascade/closing.h"
#include "core/cascade/control.h"
#include "core/cascade/foreign.h"
#include "core/log/log.h"
#include "core/pgq/api.h"

namespace skytools::cascade {

namespace {

class Resurrector {
 public:
  Resurrector(Net& net, Steps& steps, const Resurrection& request)
      : net_(net), steps_(steps), request_(request), queue_(net.queue()) {}

  ResurrectResult run() {
    net_.survey(true);
    me_ = &net_.peer(net_.local_name());
    if (!me_->info) throw Error(me_->problem);
    if (me_->is(NodeType::leaf)) return result_;
    result_.back = true;
    find_grave();
    if (!grave_) return finish_earlier_run();
    result_.provider = grave_->name;
    find_common_tick();
    if (!cleaned()) {
      if (std::filesystem::exists(request_.file) && !dumping())
        throw Refused("the file " + request_.file +
                      " exists: move it away, or name another one with --lost-events FILE");
      stand_still();
      prepare_dump();
      dump();
      clean();
    }
    rejoin();
    return result_;
  }

 private:
  std::string dumper() const { return me_->name + ".dumper"; }
  const std::string& worker() const { return me_->info->worker_name; }

  void find_grave() {
    for (Peer* peer : net_.live()) {
      if (peer == me_ || peer->is(NodeType::leaf)) continue;
      pg::Transaction tx(net_.at(peer->name), pg::Mode::autocommit);
      auto tick = pgq::consumer_position(tx, queue_, gravestone(me_->name));
      if (!tick) continue;
      if (grave_)
        throw Error("nodes " + grave_->name + " and " + peer->name + " both hold a gravestone of " + me_->name +
                    ": if one of them was given up for dead later, bring that one back first with resurrect");
      grave_ = peer;
      result_.tick = *tick;
    }
  }

  /// Killed after the last step that counts, or never dead.
  ResurrectResult finish_earlier_run() {
    for (Peer* peer : net_.live())
      for (auto& subscriber : peer->subscribers)
        if (subscriber.node == me_->name && subscriber.worker == worker() && me_->is(NodeType::branch) &&
            me_->info->provider_node == peer->name) {
          grave_ = peer;
          result_.provider = peer->name;
          result_.tick = me_->position();
          learn_members();
          result_.paused = me_->info->paused;
          if (std::filesystem::exists(request_.file)) go_on();
          return result_;
        }
    throw Error(
        "no living node holds a gravestone of " + me_->name + ": a failover leaves one (" + gravestone(me_->name) +
        ") on the node that took over; a branch that was given up below a living node comes back with: skytools "
        "cascade change-provider --provider NODE");
  }

  pg::Connection& here() { return net_.local(); }

  bool dumping() {
    pg::Transaction tx(here(), pg::Mode::autocommit);
    return pgq::consumer_position(tx, queue_, dumper()).has_value();
  }

  /// Are the lost events out of the queue already?
  bool cleaned() {
    if (!me_->is(NodeType::branch) || me_->top != result_.tick || dumping()) return false;
    return me_->info->last_tick == result_.tick && me_->info->provider_node == grave_->name;
  }

  /// The gravestone is no later than the last common tick, but after several failovers it may be earlier.
  void find_common_tick() {
    std::vector<std::int64_t> ours;
    {
      pg::Transaction tx(here(), pg::Mode::autocommit);
      pg::Result r = tx.exec(
          "select t.tick_id from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue"
          " where q.queue_name = $1 and t.tick_id >= $2 order by 1",
          queue_, result_.tick);
      for (int i = 0; i < r.rows(); ++i) ours.push_back(r.get<std::int64_t>(i, 0).value());
    }
    auto time_at = [&](pg::Connection& c, std::int64_t tick) {
      pg::Transaction tx(c, pg::Mode::autocommit);
      return tick_time(tx, queue_, tick);
    };
    pg::Connection& there = net_.at(grave_->name);
    auto end = std::partition_point(ours.begin(), ours.end(),
                                    [&](std::int64_t tick) { return time_at(here(), tick) == time_at(there, tick); });
    if (end == ours.begin())
      throw Error("[" + here().label() + "] tick " + std::to_string(result_.tick) + ", from which " + grave_->name +
                  " went on alone, is not in the queue here any more: create the node anew");
    result_.tick = *std::prev(end);
  }

  /// No more writes, no more of an old provider; the last events get a tick.
  void stand_still() {
    for (auto& subscriber : me_->subscribers)
      if (Peer* peer = net_.find(subscriber.node);
          peer && peer->info && peer->info->provider_node == me_->name && peer->position() > result_.tick)
        log::warning("node " + peer->name + " has events that are lost for the set: create it anew");
    if (me_->is(NodeType::root)) {
      pause_foreign_worker();
      steps_.take(me_->name, "close " + me_->name + " for writes", {{"pgq_node.demote_root($1, 1, null)", {queue_}}});
      make_last_tick(net_, steps_, me_->name, Deadline(request_.limit));
      steps_.take(me_->name, "make " + me_->name + " a paused branch of " + grave_->name,
                  {{"pgq_node.demote_root($1, 3, $2)", {queue_, grave_->name}},
                   {"pgq_node.set_consumer_paused($1, $2, true)", {queue_, worker()}}});
      return;
    }
    steps_.take(me_->name, "pause " + me_->name + " and let it read from " + grave_->name,
                {{"pgq_node.set_consumer_paused($1, $2, true)", {queue_, worker()}},
                 {"pgq_node.change_consumer_provider($1, $2, $3)", {queue_, worker(), grave_->name}}});
    steps_.wait(me_->name, "wait for the tick of the last batch", [&] { complete_tick(here(), queue_); });
  }

  /// The original's worker of a root ends itself when it finds the role changed under it.
  void pause_foreign_worker() {
    {
      pg::Transaction tx(here(), pg::Mode::autocommit);
      if (me_->info->paused || ours_runs(tx, queue_)) return;
    }
    steps_.wait(me_->name, "pause the worker of " + me_->name, [&] {
      try {
        set_paused(here(), queue_, worker(), true, Deadline(kForeignAnswer));
      } catch (const TimedOut&) {
        log::warning("worker " + worker() + " does not answer: taken for not running");
      }
    });
  }

  void prepare_dump() {
    std::vector<Call> calls;
    for (auto& subscriber : me_->subscribers)
      calls.push_back({"pgq_node.unregister_subscriber($1, $2)", {queue_, subscriber.node}});
    calls.push_back(
        {"select pgq.unregister_consumer(queue_name, consumer_name) from pgq.get_consumer_info($1)"
         " where not starts_with(consumer_name, '.')",
         {queue_}});
    calls.push_back({"select pgq.register_consumer_at($1, $2, $3)", {queue_, dumper(), result_.tick}});
    steps_.take(me_->name, "end the subscriptions at " + me_->name, calls);
  }

  void dump() {
    steps_.take(me_->name, "write the lost events to " + request_.file, "", [&] {
      prepare_session(here());
      dump_events(here(), queue_, dumper(), request_.file);
    });
  }

  void clean() {
    std::string table;
    {
      pg::Transaction tx(here(), pg::Mode::autocommit);
      table =
          TableName::parse(tx.value<std::string>("select queue_data_pfx from pgq.queue where queue_name = $1", queue_))
              .sql();
    }
    constexpr const char* kTick =
        "(select t.tick_snapshot from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue"
        " where q.queue_name = $1 and t.tick_id = $2)";
    std::string snapshot = kTick;
    steps_.take(me_->name, "take the lost events out of the queue of " + me_->name,
                {{"delete from " + table + " where ev_txid >= txid_snapshot_xmin(" + snapshot +
                      ") and not txid_visible_in_snapshot(ev_txid, " + snapshot + ")",
                  {queue_, result_.tick}},
                 {"select pgq.unregister_consumer($1, $2)", {queue_, dumper()}},
                 {"delete from pgq.tick t using pgq.queue q where q.queue_id = t.tick_queue and q.queue_name = $1"
                  " and t.tick_id > $2",
                  {queue_, result_.tick}},
                 {"pgq_node.set_consumer_completed($1, $2, $3)", {queue_, worker(), result_.tick}}});
  }

  void rejoin() {
    steps_.take(grave_->name, "subscribe " + me_->name + " at " + grave_->name + " in place of its gravestone",
                {{"pgq_node.unregister_subscriber($1, $2)", {queue_, me_->name}},
                 {"pgq_node.register_subscriber($1, $2, $3, $4)", {queue_, me_->name, worker(), result_.tick}}});
    learn_members();
    go_on();
  }

  /// Rows that only exist here would stop the worker sooner or later: somebody looks at them first.
  void go_on() {
    if (!steps_.dry_run()) result_.lost = count_events(request_.file);
    result_.paused = result_.lost.changes > 0;
    if (!result_.paused)
      steps_.take(me_->name, "resume " + me_->name,
                  {{"pgq_node.set_consumer_paused($1, $2, false)", {queue_, worker()}}});
  }

  /// What the set learnt meanwhile, and that we live.
  void learn_members() {
    std::vector<Member> all;
    std::optional<std::int64_t> watermark;
    {
      pg::Transaction tx(net_.at(grave_->name), pg::Mode::autocommit);
      all = members(tx, queue_);
      if (auto info = node_info(tx, queue_)) watermark = info->global_watermark;
    }
    std::vector<Call> calls;
    for (auto& member : all)
      if (member.name != me_->name)
        calls.push_back(
            {"pgq_node.register_location($1, $2, $3, $4)", {queue_, member.name, member.location, member.dead}});
    if (watermark) calls.push_back({"pgq_node.set_global_watermark($1, $2)", {queue_, *watermark}});
    steps_.take(me_->name, "learn the members of the set", calls);
    for (Peer* peer : net_.live())
      if (peer != me_)
        steps_.take(peer->name, "tag " + me_->name + " alive on " + peer->name,
                    {{"pgq_node.register_location($1, $2, null, false)", {queue_, me_->name}}});
  }

  Net& net_;
  Steps& steps_;
  const Resurrection& request_;
  const std::string& queue_;
  Peer* me_ = nullptr;
  Peer* grave_ = nullptr;
  ResurrectResult result_;
};

}  // namespace

ResurrectResult resurrect(Net& net, Steps& steps, const Resurrection& request) {
  return Resurrector(net, steps, request).run();
}

}  // namespace skytools::cascade
