// Branches that keep a watermark of their own (attribute sync_watermark), so that each can take another's place.
#include <doctest/doctest.h>

#include "tests/support/net.h"

using namespace skytools;
using std::chrono::seconds;
using test::eventually;

namespace {

/// A root, two branches that hold together, and a leaf behind the first, with everything published all the time.
struct Group : test::Net {
  explicit Group(const std::string& names = "b1_q,b2_q") : Net({"root", "b1", "b2", "leaf"}) {
    node("root", "q", "root");
    node("b1", "q", "branch", "root", {"--sync-watermark", names});
    node("b2", "q", "branch", "root");
    node("leaf", "q", "leaf", "b1");
    for (auto* db : {"root", "b1", "b2", "leaf"}) run_worker(db);
  }
  void run_worker(const std::string& db) {
    start(db, "q",
          {"londiste", "worker", "--local-wm-publish-period", "100ms", "--global-wm-publish-period", "200ms",
           "--loop-delay", "100ms"});
  }
  std::int64_t global(const std::string& db) const {
    return std::stoll(query(db, "select coalesce(global_watermark, 0) from pgq_node.get_node_info('q')"));
  }
  /// What the provider knows of a subscriber.
  std::int64_t told(const std::string& provider, const std::string& node) const {
    return std::stoll(query(provider,
                            "select coalesce(max(node_watermark), 0) from pgq_node.get_subscriber_info('q') "
                            "where node_name = '" +
                                node + "'"));
  }
  std::int64_t tick() const { return Net::tick("root", "q"); }
};

}  // namespace

TEST_CASE("a branch holds back what a sibling it names still needs, and hides its subtree from the root") {
  Group g;
  std::int64_t wanted = g.tick();
  CHECK(eventually(seconds(20), [&] { return g.tick(), g.global("b1") >= wanted; }));

  // The sibling stands: its own watermark does, and with it that of b1, whatever the root says.
  g.stop("b2", "q");
  std::int64_t stood = g.position("b2", "q");
  for (int i = 0; i < 5; ++i) g.reach("b1", "q", g.tick());
  std::int64_t held = g.global("b1");
  CHECK(held <= stood);
  g.query("root", "select * from pgq_node.unregister_subscriber('q', 'b2_q')");  // the root forgets it
  wanted = g.tick();
  CHECK(eventually(seconds(20), [&] { return g.tick(), g.global("root") >= wanted; }));
  CHECK(g.global("b1") <= stood);

  // Its subscribers are told its own.
  std::string payloads =
      "select max(ev_data::bigint) from pgq.event_template where ev_type = 'pgq.global-watermark' and ev_id > ";
  std::string from = g.query("b1", "select max(ev_id) from pgq.event_template");
  CHECK(eventually(seconds(20), [&] {
    g.tick();
    return g.query("b1", payloads + from) != "NULL";
  }));
  CHECK(std::stoll(g.query("b1", payloads + from)) <= stood);

  // A dead sibling needs nothing.
  g.query("b1", "select * from pgq_node.register_location('q', 'b2_q', null, true)");
  wanted = g.tick();
  CHECK(eventually(seconds(20), [&] { return g.tick(), g.global("b1") >= wanted; }));
}

TEST_CASE("the subtree of such a branch is hidden from its provider") {
  Group g;
  g.stop("leaf", "q");
  std::int64_t stood = g.position("leaf", "q");
  std::int64_t wanted = g.tick();
  CHECK(eventually(seconds(20), [&] { return g.tick(), g.told("root", "b1_q") >= wanted; }));
  CHECK(g.global("b1") <= stood);  // kept for it here
  CHECK(g.errors("b1") == "");
}

TEST_CASE("a name that is no node moves nothing and is told") {
  Group g("b2_q,nobody");
  CHECK(eventually(seconds(20), [&] { return g.tick(), g.worker("b1", "q").logged("node nobody of sync_watermark"); }));
  std::int64_t held = g.global("b1");
  for (int i = 0; i < 5; ++i) g.reach("b1", "q", g.tick());
  CHECK(g.global("b1") == held);
  CHECK(g.errors("b1") == "");
}
