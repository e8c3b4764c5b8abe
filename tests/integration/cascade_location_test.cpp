// Where nodes are and what is known about them: set-location, set-attr, tag-dead, tag-alive.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/support/cascade.h"

using namespace skytools;
using nlohmann::json;
using std::chrono::seconds;
using test::Cascade;
using test::eventually;
using test::Output;

namespace {

const char* const kNowhere = "host=/nonexistent dbname=x";

void fails(const Output& o, int exit, const std::string& text) {
  INFO(o.err);
  CHECK(o.exit == exit);
  CHECK(o.err.find(text) != std::string::npos);
}

void succeeds(const Output& o) { REQUIRE_MESSAGE(o.exit == 0, o.err); }

/// What all databases of the set know about one member.
void misplace(const Cascade& c, const std::string& node) {
  c.everywhere("update pgq_node.node_location set node_location = '" + std::string(kNowhere) + "' where node_name = '" +
               node + "'");
}

std::string known(const Cascade& c, const std::string& at, const std::string& node) {
  return c.query(at, "select node_location, dead from pgq_node.node_location where node_name = '" + node + "'");
}

}  // namespace

TEST_CASE("a node that moved is proved, told to everybody, and workers follow") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere("create table t (id int primary key)");
  c.start_all();
  c.add_tables({"t"});
  c.sync_all();
  misplace(c, "branch");
  c.query("branch",
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid "
          "<> pg_backend_pid()");
  REQUIRE(eventually(seconds(20), [&] { return c.error("leaf").find("provider") != std::string::npos; }));
  // Where nothing is, where another node is, where no node is: nothing changes.
  test::Database other;
  fails(c.try_cascade("root", {"set-location", "branch", kNowhere}), 4, "new location");
  fails(c.try_cascade("root", {"set-location", "branch", c.conninfo("leaf")}), 1, "there is leaf, not branch");
  fails(c.try_cascade("root", {"set-location", "branch", other.conninfo()}), 1, "no node of queue set");
  fails(c.try_cascade("root", {"set-location", "brunch", c.conninfo("branch")}), 1, "did you mean 'branch'");
  fails(c.try_cascade("root", {"set-location", "branch", ""}), 2, "connect string");
  CHECK(known(c, "leaf", "branch") == std::string(kNowhere) + "|f");
  Output o = c.try_cascade("leaf", {"set-location", "branch", c.conninfo("branch"), "--dry-run"});
  succeeds(o);
  CHECK(o.out.find("register_location") != std::string::npos);
  CHECK(known(c, "leaf", "branch") == std::string(kNowhere) + "|f");
  succeeds(c.try_cascade("leaf", {"set-location", "branch", c.conninfo("branch")}));
  for (auto* node : {"root", "branch", "leaf"}) CHECK(known(c, node, "branch") == c.conninfo("branch") + "|f");
  c.query("root", "insert into t values (1)");
  c.sync("leaf");
  o = c.try_cascade("leaf", {"set-location", "branch", c.conninfo("branch"), "--json"});
  succeeds(o);
  CHECK(json::parse(o.out)["result"] == "already set");
}

TEST_CASE("while a node answers, the new string must lead to the same database") {
  Cascade c({{"root"}, {"leaf", "root"}}, false);
  fails(c.try_cascade("root", {"set-location", "leaf", c.conninfo("root")}), 1, "not the database of node leaf");
  std::string there = c.conninfo("leaf") + " password=s3cret";
  Output o = c.try_cascade("root", {"set-location", "leaf", there, "--dry-run"});
  succeeds(o);
  CHECK((o.out + o.err).find("s3cret") == std::string::npos);
  o = c.try_cascade("root", {"set-location", "leaf", there, "--json"});
  succeeds(o);
  CHECK((o.out + o.err).find("s3cret") == std::string::npos);
  CHECK(known(c, "root", "leaf") == there + "|f");
  CHECK(c.try_cascade("root", {"members", "--json"}).out.find("s3cret") == std::string::npos);
  // The root itself has moved.
  misplace(c, "root");
  succeeds(c.try_cascade("leaf", {"set-location", "root", c.conninfo("root")}));
  for (auto* node : {"root", "leaf"}) CHECK(known(c, node, "root") == c.conninfo("root") + "|f");
  // Without a root only those that are reached learn of it.
  misplace(c, "root");
  fails(c.try_cascade("leaf", {"set-location", "leaf", c.conninfo("leaf")}), 5, "--force");
  succeeds(c.try_cascade("leaf", {"set-location", "leaf", c.conninfo("leaf"), "--force"}));
  CHECK(known(c, "leaf", "leaf") == c.conninfo("leaf") + "|f");
}

TEST_CASE("attributes: known keys, checked values, an empty one takes away") {
  Cascade c({{"root"}, {"branch", "root"}, {"branch2", "root"}, {"leaf", "root"}}, false);
  auto stored = [&] { return c.query("branch", "select coalesce(node_attrs, '') from pgq_node.node_info"); };
  fails(c.try_cascade("root", {"set-attr", "branch", "sync=branch2"}), 2, "there are: sync_watermark");
  fails(c.try_cascade("root", {"set-attr", "branch", "sync_watermark"}), 2, "key=value");
  fails(c.try_cascade("root", {"set-attr", "branch"}), 2, "missing argument");
  fails(c.try_cascade("root", {"set-attr", "branch", "sync_watermark=branch3"}), 1, "did you mean");
  fails(c.try_cascade("root", {"set-attr", "branch", "sync_watermark=branch"}), 1, "itself");
  fails(c.try_cascade("root", {"set-attr", "leaf", "sync_watermark=branch"}), 1, "no branch");
  fails(c.try_cascade("root", {"set-attr", "nobody", "sync_watermark=branch"}), 1, "nobody");
  CHECK(stored() == "");
  succeeds(c.try_cascade("root", {"set-attr", "branch", "sync_watermark=branch2,leaf"}));
  CHECK(stored() == "sync_watermark=branch2%2cleaf");
  CHECK(c.try_cascade("root", {"status"}).out.find("Attr: sync_watermark=branch2,leaf") != std::string::npos);
  Output o = c.try_cascade("root", {"set-attr", "branch", "sync_watermark=branch2,leaf", "--json"});
  CHECK(json::parse(o.out)["result"] == "already set");
  succeeds(c.try_cascade("root", {"set-attr", "branch", "sync_watermark=", "--dry-run"}));
  CHECK(stored() != "");
  c.query("branch", "update pgq_node.node_info set node_attrs = 'other=1&sync_watermark=leaf'");
  succeeds(c.try_cascade("root", {"set-attr", "branch", "sync_watermark="}));
  CHECK(stored() == "other=1");
}

TEST_CASE("tag-dead only takes who does not answer, tag-alive only who does") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}}, false);
  fails(c.try_cascade("branch", {"tag-dead", "leaf"}), 5, "leaf answers");
  fails(c.try_cascade("branch", {"tag-dead", "root"}), 5, "is the root");
  fails(c.try_cascade("branch", {"tag-dead", "branch"}), 5, "--db");
  fails(c.try_cascade("branch", {"tag-dead", "lief"}), 1, "did you mean 'leaf'");
  fails(c.try_cascade("branch", {"tag-dead"}), 2, "NODE");
  for (auto* node : {"root", "branch"})
    c.query(node, "update pgq_node.node_location set node_location = 'host=/nonexistent' where node_name = 'leaf'");
  succeeds(c.try_cascade("branch", {"tag-dead", "leaf", "--dry-run"}));
  CHECK(known(c, "branch", "leaf").ends_with("|f"));
  Output o = c.try_cascade("branch", {"tag-dead", "leaf", "--json"});
  succeeds(o);
  CHECK(json::parse(o.out) == json::parse(R"([{"node": "leaf", "dead": true, "result": "tagged"}])"));
  for (auto* node : {"root", "branch"}) CHECK(known(c, node, "leaf") == "host=/nonexistent|t");
  o = c.try_cascade("branch", {"tag-dead", "leaf", "--json"});
  CHECK(json::parse(o.out)[0]["result"] == "already tagged");
  CHECK(c.try_cascade("root", {"status"}).out.find("+--: leaf (dead)") != std::string::npos);
  fails(c.try_cascade("branch", {"tag-alive", "leaf"}), 5, "does not answer");
  succeeds(c.try_cascade("branch", {"tag-alive", "leaf", "--force"}));
  CHECK(known(c, "root", "leaf") == "host=/nonexistent|f");
  succeeds(c.try_cascade("branch", {"tag-dead", "leaf"}));
  for (auto* node : {"root", "branch"})
    c.query(node,
            "update pgq_node.node_location set node_location = '" + c.conninfo("leaf") + "' where node_name = 'leaf'");
  succeeds(c.try_cascade("branch", {"tag-alive", "leaf"}));
  for (auto* node : {"root", "branch"}) CHECK(known(c, node, "leaf") == c.conninfo("leaf") + "|f");
}
