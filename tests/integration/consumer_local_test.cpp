// `skytools consumer local`: the position file against the queue's position, row by row, and crashes between both.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/consumer.h"

using namespace skytools;
using test::failing;
using test::QueueWorld;

namespace {

struct LocalWorld : QueueWorld {
  std::string file = path("pos");
  LocalWorld() { query("select pgq.unregister_consumer('q', 'c')"); }
  std::string position() const { return read("pos"); }
  void set_file(const std::string& text) const { std::ofstream(file) << text; }
  std::string queue_tick() const { return query("select sub_last_tick from pgq.subscription"); }
  std::vector<std::string> args(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--tracking-file", file});
    return more;
  }
  /// Event ids that come out, joined.
  std::string ids(const test::Output& o) const {
    std::string out;
    for (std::size_t at = 0; (at = o.out.find("{\"id\": ", at)) != std::string::npos;) {
      at += 7;
      out += (out.empty() ? "" : ",") + o.out.substr(at, o.out.find(',', at) - at);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("not registered: at the file's tick, or at the top of the queue") {
  LocalWorld w;
  w.batch(1);
  w.batch(1);
  test::Output o = w.drain("local", w.args());
  CHECK(o.err.find("registered at the newest tick") != std::string::npos);
  CHECK(w.position() == "");  // nothing was worked off yet
  CHECK(w.ids(o) == "");
  w.query("select pgq.unregister_consumer('q', 'c')");
  w.set_file("2\n");
  o = w.drain("local", w.args());
  CHECK(o.err.find("registered at the tick of the tracking file") != std::string::npos);
  CHECK(w.ids(o) == "2");
  CHECK(w.position() == "3");
}

TEST_CASE("registered: no file, equal, behind, ahead") {
  LocalWorld w;
  w.query("select pgq.register_consumer('q', 'c')");
  for (int i = 0; i < 6; ++i) w.batch(1);
  test::Output o = w.drain("local", w.args());
  CHECK(o.err.find("no tracking file yet") != std::string::npos);
  CHECK(w.ids(o) == "1,2,3,4,5,6");
  CHECK(w.position() == "7");
  CHECK(w.drain("local", w.args()).err.find("tracking file and queue agree") != std::string::npos);
  w.set_file("3");
  o = w.drain("local", w.args());
  CHECK(o.err.find("the queue is ahead of the tracking file, it is rewound") != std::string::npos);
  CHECK(w.ids(o) == "3,4,5,6");
  w.query("select pgq.register_consumer_at('q', 'c', 2)");
  o = w.drain("local", w.args());
  CHECK(o.err.find("the queue is behind the tracking file, it is moved forward") != std::string::npos);
  CHECK(w.ids(o) == "");
  CHECK(w.queue_tick() == "7");
}

TEST_CASE("a tick that is gone is explained with numbers of events") {
  LocalWorld w;
  for (int i = 0; i < 5; ++i) w.batch(10);
  w.query("select pgq.register_consumer_at('q', 'c', 5); delete from pgq.tick where tick_id < 4");
  w.set_file("2");
  test::Output o = w.run("local", w.args({"--once"}));
  CHECK(o.exit == 1);
  CHECK(o.err.find("stands at tick 2, which queue 'q' does not have any more") != std::string::npos);
  CHECK(o.err.find("the next one it has is 4, with 20 events from there to the newest, 6") != std::string::npos);
  CHECK(o.err.find("--reset goes on at tick 5, where the queue has the consumer, 10 events before the newest") !=
        std::string::npos);
  CHECK(w.run("local", w.args({"--reset"})).exit == 0);
  CHECK(w.position() == "");
  CHECK(w.queue_tick() == "5");
  CHECK(w.ids(w.drain("local", w.args())).starts_with("41,"));
}

TEST_CASE("--rewind moves the queue to the file, --reset forgets the file; bad files are refused") {
  LocalWorld w;
  for (int i = 0; i < 3; ++i) w.batch(1);
  w.set_file("1");
  w.drain("local", w.args());
  w.set_file("2");
  CHECK(w.run("local", w.args({"--rewind"})).exit == 0);
  CHECK(w.queue_tick() == "2");
  CHECK(w.run("local", w.args({"--rewind", "--reset"})).exit == 2);
  w.set_file("two");
  test::Output o = w.run("local", w.args({"--once"}));
  CHECK(o.exit == 1);
  CHECK(o.err.find("does not hold a tick id") != std::string::npos);
  CHECK(w.run("local", {"--once", "--tracking-file", "/no/such/folder/pos"})
            .err.find("folder of the tracking file does not exist") != std::string::npos);
  CHECK(w.run("local", {"--once"}).exit == 2);
  CHECK(w.run("local", {"--once", "--tracking-file", "/tmp"}).exit == 1);
}

TEST_CASE("killed around the write of the file: nothing is lost, and what the file has is not done again") {
  LocalWorld w;
  w.query("select pgq.register_consumer('q', 'c')");
  w.set_file("1");
  struct Case {
    const char* point;
    bool again;
  };
  for (auto& c : {Case{"consumer.before_file", true}, Case{"consumer.before_rename", true},
                  Case{"consumer.after_file", false}, Case{"consumer.before_finish", false}}) {
    CAPTURE(c.point);
    w.batch(2);
    test::Output first = w.run("local", w.args({"--once"}), failing(std::string(c.point) + "=crash"));
    CHECK(first.exit == 128 + 9);
    CHECK(w.ids(first) != "");
    test::Output second = w.drain("local", w.args());
    CHECK(w.ids(second) == (c.again ? w.ids(first) : ""));
    CHECK(w.position() == w.queue_tick());
  }
}

TEST_CASE("a command and a statement, too") {
  LocalWorld w;
  w.query("select pgq.register_consumer('q', 'c'); create table got (id bigint)");
  w.batch(3);
  w.drain("local", w.args({"--sql", "insert into got values ($4)"}));
  CHECK(w.query("select count(*) from got") == "3");
  w.batch(2);
  w.drain("local", w.args({"--exec", w.script("  echo ack $id; echo $id >> " + w.path("ids"))}));
  CHECK(w.read("ids") == "4\n5\n");
  CHECK(w.position() == "3");
}

TEST_CASE("killed around the write of the file: no answer is lost") {
  LocalWorld w;
  w.query("select pgq.register_consumer('q', 'c')");
  w.set_file("1");
  int dead = 0;
  for (const char* point : {"consumer.before_file", "consumer.before_rename", "consumer.after_file",
                            "consumer.before_finish", "consumer.after_finish"}) {
    CAPTURE(point);
    w.batch(2);
    std::vector<std::string> args = w.args({"--once", "--exec", w.script("  echo dead $id bad")});
    CHECK(w.run("local", args, failing(std::string(point) + "=crash")).exit == 128 + 9);
    CHECK(w.run("local", args).exit == 0);
    CHECK(w.query("select count(distinct ev_id) from skytools.dead_list('q', 'c')") == std::to_string(dead += 2));
    CHECK(w.position() == w.queue_tick());
  }
}

TEST_CASE("where the file cannot be written nothing is done") {
  LocalWorld w;
  w.query("select pgq.register_consumer('q', 'c')");
  w.batch(1);
  std::filesystem::create_directory(w.file + ".new");  // as good as a full disk
  test::Output o = w.run("local", w.args({"--once"}));
  CHECK(o.exit == 1);
  CHECK(o.err.find("cannot write tracking file") != std::string::npos);
  CHECK(w.ids(o) == "");
}
