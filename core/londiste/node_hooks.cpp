#include "core/londiste/node_hooks.h"

#include <map>

#include "core/londiste/table.h"

namespace skytools::londiste {

namespace {

using Reasons = cascade::Hooks::Reasons;

bool has_londiste(pg::Transaction& tx) {
  return tx.value<bool>("select to_regclass('londiste.table_info') is not null");
}

std::string state_text(const Table& table) {
  if (!table.local) return "not replicated there";
  if (table.state.kind != MergeState::ok) return "in state " + table.state.str().value_or("wanted") + " there";
  return "still holding the snapshot of its copy there";
}

bool in_step(const Table& table) { return table.local && table.state.kind == MergeState::ok && !table.snapshot_text; }

std::vector<std::string> key_columns(pg::Transaction& tx, const TableName& table) {
  pg::Result r = tx.exec(
      "select a.attname from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and"
      " a.attnum = any (i.indkey) where i.indrelid = to_regclass($1) and i.indisprimary order by 1",
      table.sql());
  std::vector<std::string> out;
  for (int i = 0; i < r.rows(); ++i) out.emplace_back(r.text(i, 0));
  return out;
}

/// Without the set's triggers, or with disabled ones, a root would lose changes silently.
bool captures(pg::Transaction& tx, const std::string& queue, const TableName& table) {
  return tx.value<bool>(
      "select exists (select 1 from pg_catalog.pg_trigger t where t.tgrelid = to_regclass($1) and not t.tgisinternal"
      " and t.tgenabled in ('O', 'A') and t.tgname like '%\\_londiste\\_' || replace($2, '_', '\\_') || '%')",
      table.sql(), queue);
}

Reasons not_ready(const std::string& queue, pg::Connection& root, pg::Connection& node) {
  pg::Transaction at_root(root, pg::Mode::read_only), at_node(node, pg::Mode::read_only);
  if (!has_londiste(at_root)) return {};
  if (!has_londiste(at_node)) return {"schema londiste is missing on [" + node.label() + "]"};
  Reasons out;
  std::map<std::string, Table> there;
  for (auto& table : table_list(at_node, queue)) there.emplace(table.name, table);
  for (auto& table : table_list(at_root, queue)) {
    if (!table.local) continue;
    auto it = there.find(table.name);
    if (it == there.end() || !in_step(it->second)) {
      out.push_back(table.name + " is " + (it == there.end() ? "not known there" : state_text(it->second)));
      continue;
    }
    auto key = key_columns(at_root, table.dest);
    if (key != key_columns(at_node, it->second.dest)) out.push_back(table.name + " has another primary key there");
    if (captures(at_root, queue, table.dest) && !captures(at_node, queue, it->second.dest))
      out.push_back(table.name + " has no enabled triggers of the set there");
  }
  std::map<std::string, bool> sequences;
  for (auto& sequence : sequence_list(at_node, queue)) sequences[sequence.name] = sequence.local;
  for (auto& sequence : sequence_list(at_root, queue))
    if (sequence.local && !sequences[sequence.name])
      out.push_back("sequence " + sequence.name + " is not replicated there");
  return out;
}

Reasons not_movable(const std::string& queue, pg::Connection& node) {
  pg::Transaction tx(node, pg::Mode::read_only);
  Reasons out;
  if (!has_londiste(tx)) return out;
  for (auto& table : table_list(tx, queue))
    if (table.local && (table.state.copying() || table.snapshot_text))
      out.push_back(table.name + " is in the middle of its copy");
  return out;
}

/// Tables in the middle of their copy get their indexes back; lists and triggers go with the node.
std::vector<cascade::Call> before_drop(const std::string& queue, pg::Connection& node) {
  pg::Transaction tx(node, pg::Mode::autocommit);
  if (!has_londiste(tx)) return {};
  return {{"select r.ret_code, r.ret_note from londiste.table_info t cross join lateral"
           " londiste.local_remove_table(t.queue_name, t.table_name) r"
           " where t.queue_name = $1 and t.local and t.dropped_ddl is not null",
           {queue}},
          {"delete from londiste.applied_execute where queue_name = $1", {queue}}};
}

}  // namespace

cascade::Hooks node_hooks(const std::string& queue) {
  return {.not_ready = [queue](pg::Connection& root, pg::Connection& node) { return not_ready(queue, root, node); },
          .not_movable = [queue](pg::Connection& node) { return not_movable(queue, node); },
          .after_forced_move = {{"select londiste.local_set_table_state(queue_name, table_name, null, null)"
                                 " from londiste.table_info where queue_name = $1 and local"
                                 " and (coalesce(merge_state, 'ok') <> 'ok' or custom_snapshot is not null)",
                                 {queue}}},
          .before_drop = [queue](pg::Connection& node) { return before_drop(queue, node); }};
}

}  // namespace skytools::londiste
