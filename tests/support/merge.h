#pragma once
#include "tests/support/net.h"

namespace skytools::test {

inline const std::vector<std::string> kWorker{"londiste", "worker"};

/// Two shards, their merge into queue `all` on hub, and mirror: a branch of it with merge leaves of its own.
struct Merge : Net {
  explicit Merge(bool with_mirror = true)
      : Net(with_mirror ? std::vector<std::string>{"s1", "s2", "hub", "mirror"}
                        : std::vector<std::string>{"s1", "s2", "hub"}),
        with_mirror_(with_mirror) {
    for (auto* part : {"p1", "p2"}) node(shard(part), part, "root");
    node("hub", "all", "root");
    for (auto* part : {"p1", "p2"}) node("hub", part, "leaf", shard(part), {"--merge", "all"});
    if (with_mirror) {
      node("mirror", "all", "branch", "hub");
      for (auto* part : {"p1", "p2"}) node("mirror", part, "leaf", shard(part), {"--merge", "all"});
    }
    everywhere("create table t (id int primary key, v text)");
  }
  void everywhere(const std::string& sql) const {
    for (auto& db : with_mirror_ ? std::vector<std::string>{"s1", "s2", "hub", "mirror"}
                                 : std::vector<std::string>{"s1", "s2", "hub"})
      query(db, sql);
  }
  static std::string shard(const std::string& part) { return part == "p1" ? "s1" : "s2"; }

  void start_all() {
    for (auto* part : {"p1", "p2"}) start(shard(part), part, kWorker);
    for (auto& db : with_mirror_ ? std::vector<std::string>{"hub", "mirror"} : std::vector<std::string>{"hub"})
      for (auto* queue : {"all", "p1", "p2"}) start(db, queue, kWorker);
  }
  /// Table t in every node, rows from both parts; the workers must run.
  void add_table(const std::string& table = "t") {
    for (auto* part : {"p1", "p2"}) {
      run("londiste", shard(part), part, {"add-table", table});
      reach("hub", part, tick(shard(part), part));
      if (with_mirror_) reach("mirror", part, tick(shard(part), part));
    }
    run("londiste", "hub", "p1", {"add-table", table, "--merge-all"});
    for (auto* part : {"p1", "p2"}) run("londiste", "hub", part, {"wait-sync", "--timeout", "40s"});
    if (!with_mirror_) return;
    run("londiste", "mirror", "p1", {"add-table", table, "--merge-all"});
    run("londiste", "mirror", "all", {"wait-sync", "--timeout", "40s"});
  }
  /// All that is committed in the shards is in the hub and behind it.
  void settle() {
    for (auto* part : {"p1", "p2"}) {
      std::int64_t wanted = tick(shard(part), part);
      reach("hub", part, wanted);
      if (with_mirror_) reach("mirror", part, wanted);
    }
    if (with_mirror_) reach("mirror", "all", tick("hub", "all"));
  }
  std::string merged_events(const std::string& db, const std::string& more = "") const {
    return query(
        db,
        "select ev_type, ev_data, ev_extra1 from pgq.event_template e join pgq.queue on queue_name = 'all' and "
        "e.tableoid::regclass::text like queue_data_pfx || '%' where ev_type not like 'pgq.global%' and ev_type "
        "not like 'pgq.location%' and ev_type not like 'londiste.%' " +
            more + " order by ev_id");
  }
  std::string rows(const std::string& db) const { return query(db, "select id, v from t order by id"); }
  std::string all_rows() const {
    std::string a = rows("s1"), b = rows("s2");
    return a.empty() || b.empty() ? a + b : a + "\n" + b;  // ids of s1 are lower
  }

 private:
  bool with_mirror_;
};

}  // namespace skytools::test
