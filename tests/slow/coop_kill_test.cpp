// Four worker processes of one group, killed at random fifty times: every event is worked off at least once, none is
// lost, and each batch is finished exactly once.
#include <doctest/doctest.h>

#include <csignal>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

#include "tests/support/consumer.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;

namespace {

constexpr int kKills = 50, kWorkers = 4;
constexpr milliseconds kPatience = 120s;

struct Group : QueueWorld {
  std::vector<std::unique_ptr<Background>> workers{kWorkers};
  std::string exec = script("  sleep 0.01; echo $id >> " + path("seen") + "; echo ack $id");

  Group() {
    // Each change of the members' rows is noted: a batch that ends leaves it for good.
    query(
        "create table finished (batch bigint, member int, at timestamptz default clock_timestamp());"
        "create function note() returns trigger language plpgsql as $$ begin"
        " if tg_op = 'UPDATE' and old.sub_batch is not null and new.sub_batch is null"
        "   and current_query() ~ 'answer_batch' then insert into public.finished values (old.sub_batch, "
        "old.sub_consumer); "
        "end if;"
        " return null; end $$;"
        "create trigger note after insert or update or delete on pgq.subscription for each row execute function "
        "note()");
    for (int i = 0; i < kWorkers; ++i) start(i);
  }
  void start(int i) {
    workers[static_cast<std::size_t>(i)] =
        std::make_unique<Background>(command("coop", {"--subconsumer", "w" + std::to_string(i), "--subconsumer-timeout",
                                                      "1s", "--loop-delay", "50ms", "--exec", exec}));
  }
  bool drained() const {
    return query("select count(*) from pgq.subscription where sub_batch is not null") == "0" &&
           query(
               "select sub_last_tick = (select max(tick_id) from pgq.tick) from pgq.subscription join pgq.consumer on "
               "co_id = sub_consumer where co_name = 'c'") == "t";
  }
};

}  // namespace

TEST_CASE("members killed again and again lose nothing and finish each batch once") {
  Group g;
  std::mt19937 random(20260102);
  std::uniform_int_distribution<int> victim(0, kWorkers - 1), pause(20, 150);
  int sent = 0;
  auto batches = [&](int n) {
    for (int i = 0; i < n; ++i) g.batch(20), sent += 20;
  };
  for (int kill = 0; kill < kKills; ++kill) {
    batches(4);
    // Not a wait for something: the moment of the kill shall be any.
    CHECK_FALSE(eventually(milliseconds(pause(random)), [] { return false; }));
    int i = victim(random);
    g.workers[static_cast<std::size_t>(i)]->kill();
    g.start(i);
  }
  batches(4);
  bool drained = eventually(kPatience, [&] { return g.drained(); });
  std::string state = g.query(
      "select co_name, s.*, now() - sub_active from pgq.subscription s join pgq.consumer on co_id = sub_consumer");
  for (auto& w : g.workers) state += "\n" + w->log();
  INFO(state);
  REQUIRE(drained);
  for (auto& w : g.workers) CHECK(w->stop() == 0);

  std::map<std::int64_t, int> times;
  std::istringstream in(g.read("seen"));
  for (std::int64_t id; in >> id;) ++times[id];
  CHECK(times.size() == static_cast<std::size_t>(sent));
  CHECK(g.query("select count(*) from pgq.event_template") == std::to_string(sent));
  int again = 0;
  for (auto& [id, n] : times) again += n > 1;
  // Each tick has the events of one transaction, so there must be as many ends as transactions, none twice. A batch
  // that was taken over ends under its new id alone.
  CHECK(g.query("select count(*) from finished group by batch having count(*) > 1") == "");
  CHECK(g.query("select count(distinct ev_txid) = (select count(*) from finished) from pgq.event_template") == "t");
  CHECK(again > 0);  // or the kills met no batch at work
  std::cerr << "coop: " << sent << " events, " << again << " handled more than once after " << kKills << " kills\n";
}
