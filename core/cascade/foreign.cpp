#include "core/cascade/foreign.h"

#include "core/base/urlcode.h"
#include "core/cascade/control.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

std::string mark_of(const std::string& consumer) { return "paused_by_command=" + urlencode(consumer); }

constexpr const char* kMark =
    "select pgq_node.set_node_attrs(n.queue_name, concat_ws('&', nullif(n.node_attrs, ''), $2::text))"
    " from pgq_node.node_info n where n.queue_name = $1"
    " and ($2 = any (string_to_array(n.node_attrs, '&'))) is not true";
constexpr const char* kResume =
    "select pgq_node.set_consumer_paused(n.queue_name, $3, false) from pgq_node.node_info n"
    " where n.queue_name = $1 and $2 = any (string_to_array(n.node_attrs, '&'))";
constexpr const char* kUnmark =
    "select pgq_node.set_node_attrs(n.queue_name,"
    " nullif(array_to_string(array_remove(string_to_array(n.node_attrs, '&'), $2), '&'), ''))"
    " from pgq_node.node_info n where n.queue_name = $1 and $2 = any (string_to_array(n.node_attrs, '&'))";

}  // namespace

bool marked(pg::Transaction& tx, const std::string& queue, const std::string& consumer) {
  return tx.value<bool>(
      "select exists (select 1 from pgq_node.node_info where queue_name = $1"
      " and $2 = any (string_to_array(node_attrs, '&')))",
      queue, mark_of(consumer));
}

bool to_be_paused(pg::Transaction& tx, const std::string& queue, const std::string& consumer) {
  auto state = consumer_state(tx, queue, consumer);
  if (!state) return false;
  return state->paused ? marked(tx, queue, consumer) : !ours_runs(tx, queue, consumer);
}

void pause_foreign(pg::Connection& node, const std::string& queue, const std::string& consumer, milliseconds limit) {
  {
    pg::Transaction tx(node);
    tx.exec(kMark, queue, mark_of(consumer));
    run_command(tx, "pgq_node.set_consumer_paused($1, $2, true)", {queue, consumer});
    tx.commit();
  }
  try {
    set_paused(node, queue, consumer, true, Deadline(limit));
  } catch (const TimedOut&) {
    log::warning("[" + node.label() + "] " + consumer + " does not answer: taken for not running");
  }
}

std::vector<Call> resume_foreign(const std::string& queue, const std::string& consumer) {
  return {{kResume, {queue, mark_of(consumer), consumer}}, {kUnmark, {queue, mark_of(consumer)}}};
}

}  // namespace skytools::cascade
