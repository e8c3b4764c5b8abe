// A node takes the name of one that is gone, while others have still to hear of the end of that one.
#include <doctest/doctest.h>

#include "tests/support/cascade.h"

using namespace skytools;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;
using test::Output;

namespace {

std::string subscribers(const Cascade& c, const std::string& node) {
  return c.query(node, "select coalesce(string_agg(subscriber_node, ','), '') from pgq_node.subscriber_info");
}

std::vector<std::string> create(const Cascade& c, const std::string& node, const std::string& provider) {
  return {node == "branch" ? "create-branch" : "create-leaf", node, "--provider", c.conninfo(provider)};
}

/// The command has to wait for a worker: without it nothing is changed, with it all is done.
void waits_for(Cascade& c, const std::string& worker, const std::string& at, std::vector<std::string> command) {
  command.insert(command.begin(), "cascade");
  command.insert(command.end(), {"--db", c.conninfo(at), "-Q", "set"});
  auto in_vain = command;
  in_vain.insert(in_vain.end(), {"--timeout", "300ms"});
  Output o = test::run_skytools(in_vain);
  INFO(o.err);
  CHECK(o.exit == 7);
  CHECK(o.err.find("the worker of node " + worker + " to hear that") != std::string::npos);
  test::Background running(command);
  REQUIRE(eventually(seconds(20), [&] { return running.log().find("hears of the end") != std::string::npos; }));
  c.start(worker);
  CHECK_MESSAGE(running.wait() == 0, running.log());
}

}  // namespace

TEST_CASE("a leaf is created anew while its provider has still to hear that the old one is gone") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  c.start("root");
  c.start("branch");
  c.sync("branch");
  c.stop("branch");
  REQUIRE(c.try_cascade("root", {"drop-node", "leaf", "--yes"}).exit == 0);
  waits_for(c, "branch", "leaf", create(c, "leaf", "branch"));
  c.sync("branch");
  CHECK(subscribers(c, "branch") == "leaf");
  c.start("leaf");
  c.sync("leaf");
}

TEST_CASE("a branch that is created anew reads of its own end, and of its subscriber's") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  // What holds the watermark, where new nodes begin to read.
  c.query("root", "select pgq.register_consumer('set', 'slow')");
  for (auto* node : {"leaf", "branch"}) REQUIRE(c.try_cascade("root", {"drop-node", node, "--yes"}).exit == 0);
  c.run("branch", create(c, "branch", "root"));
  c.start("branch");
  c.run("leaf", create(c, "leaf", "branch"));
  c.sync("branch");
  CHECK(subscribers(c, "branch") == "leaf");
  CHECK(c.error("branch") == "");
  c.start("leaf");
  c.sync("leaf");
}

TEST_CASE("a node gets its former name back while others have still to hear of its end") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.sync_all();
  c.stop("leaf");
  REQUIRE(c.try_cascade("root", {"rename-node", "branch", "middle"}).exit == 0);
  waits_for(c, "leaf", "root", {"rename-node", "middle", "branch"});
  c.sync("branch");
  c.sync("leaf");
  CHECK(subscribers(c, "branch") == "leaf");
  CHECK(subscribers(c, "root") == "branch");
}
