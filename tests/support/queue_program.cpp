#include "tests/support/queue_program.h"

#include <doctest/doctest.h>

namespace skytools::test {

QueueDatabase::QueueDatabase() {
  Output o = run_skytools({"install", "--db", conninfo()});
  INFO(o.err);
  REQUIRE(o.exit == 0);
}

Output QueueDatabase::try_run(std::vector<std::string> args, const std::string& input, const std::string& role) const {
  args.insert(args.begin(), "queue");
  args.insert(args.end(), {"--db", conninfo() + (role.empty() ? "" : " user=" + role)});
  return run_skytools(args, {.input = input});
}

std::string QueueDatabase::run(std::vector<std::string> args, const std::string& input) const {
  Output o = try_run(args, input);
  INFO(args[0] << ": " << o.err);
  REQUIRE(o.exit == 0);
  return o.out;
}

nlohmann::json QueueDatabase::ask(std::vector<std::string> args, const std::string& input) const {
  args.push_back("--json");
  return nlohmann::json::parse(run(args, input));
}

void QueueDatabase::check_failure(std::vector<std::string> args, int exit, const std::string& message,
                                  const std::string& input) const {
  Output o = try_run(args, input);
  INFO(args[0] << ": " << o.err);
  CHECK(o.exit == exit);
  CHECK(o.err.starts_with("skytools: "));
  CHECK(o.err.find('\n') == o.err.size() - 1);
  CHECK(o.err.find(message) != std::string::npos);
  CHECK(o.out.empty());
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string everything(const Database& db) {
  return db.query(
      "select (select string_agg(q::text, ';' order by q.queue_id) from pgq.queue q),"
      " (select string_agg(s::text, ';' order by s.sub_id, s.sub_consumer) from pgq.subscription s),"
      " (select string_agg(t.tick_queue || ':' || t.tick_id, ';' order by 1) from pgq.tick t),"
      " (select string_agg(e::text, ';' order by e.ev_id, e.ev_txid) from pgq.event_template e),"
      " (select string_agg(r::text, ';' order by r.ev_id) from pgq.retry_queue r),"
      " (select string_agg(d::text, ';' order by d::text) from skytools.dead_letter d),"
      " (select string_agg(p::text, ';' order by p::text) from skytools.queue_policy p),"
      " (select string_agg(p::text, ';' order by p::text) from skytools.paused_consumer p),"
      " (select string_agg(schemaname || sequencename || ':' || coalesce(last_value, 0), ';' order by sequencename)"
      "    from pg_sequences where schemaname in ('pgq', 'skytools'))");
}

}  // namespace skytools::test
