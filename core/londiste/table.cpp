#include "core/londiste/table.h"

#include "core/base/urlcode.h"
#include "core/cascade/node.h"
#include "core/log/log.h"

namespace skytools::londiste {

namespace {
constexpr std::pair<std::string_view, MergeState::Kind> kStates[] = {
    {"in-copy", MergeState::in_copy},
    {"catching-up", MergeState::catching_up},
    {"wanna-sync", MergeState::wanna_sync},
    {"do-sync", MergeState::do_sync},
    {"ok", MergeState::ok},
    {"?", MergeState::ok}};  // written by versions before 3
}  // namespace

MergeState MergeState::parse(const std::optional<std::string>& text) {
  if (!text) return {};
  std::string_view name = std::string_view(*text).substr(0, text->find(':'));
  for (auto& [known, kind] : kStates)
    if (known == name)
      return {kind, name.size() < text->size()
                        ? pg::parse<std::int64_t>(std::string_view(*text).substr(name.size() + 1))
                        : 0};
  throw Error("unknown table state '" + *text + "'");
}

std::optional<std::string> MergeState::str() const {
  if (kind == wanted) return std::nullopt;
  for (auto& [name, known] : kStates)
    if (known == kind)
      return std::string(name) + (kind == wanna_sync || kind == do_sync ? ":" + std::to_string(tick) : "");
  return std::nullopt;
}

std::string Table::attribute(const std::string& key) const {
  auto it = attributes.find(key);
  if (it == attributes.end() && key == "handler") it = attributes.find("handlers");  // the name of old versions
  return it == attributes.end() ? "" : it->second;
}

std::vector<Table> table_list(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec(
      "select table_name, local, merge_state, custom_snapshot, table_attrs, dropped_ddl, copy_role, copy_pos, "
      "dest_table"
      " from londiste.get_table_list($1)",
      queue);
  using Text = std::optional<std::string>;
  std::vector<Table> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto [name, local, state, snapshot, attributes, ddl, role, position, dest] =
        r.row<std::string, bool, Text, Text, Text, Text, Text, std::optional<std::int64_t>, Text>(i);
    Table t{.name = name,
            .local = local,
            .state = MergeState::parse(state),
            .snapshot_text = snapshot,
            .snapshot = {},
            .attributes = {},
            .dropped_ddl = ddl,
            .copy_role = role.value_or(""),
            .copy_position = position.value_or(0),
            .dest = TableName::parse(dest.value_or(name))};
    if (snapshot) t.snapshot = pgq::Snapshot::parse(*snapshot);
    for (auto& field : decode_row(attributes.value_or(""))) t.attributes[field.name] = field.value.value_or("");
    out.push_back(std::move(t));
  }
  return out;
}

std::optional<Table> find_table(pg::Transaction& tx, const std::string& queue, const std::string& name) {
  for (auto& t : table_list(tx, queue))
    if (t.name == name) return t;
  return std::nullopt;
}

std::vector<Sequence> sequence_list(pg::Transaction& tx, const std::string& queue) {
  pg::Result r = tx.exec("select seq_name, last_value, local from londiste.get_seq_list($1)", queue);
  std::vector<Sequence> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto [name, value, local] = r.row<std::string, std::int64_t, bool>(i);
    out.push_back({name, value, local});
  }
  return out;
}

bool find_sequence(pg::Transaction& tx, const std::string& queue, const std::string& name) {
  for (auto& sequence : sequence_list(tx, queue))
    if (sequence.name == name) return true;
  return false;
}

bool move_table_state(pg::Transaction& tx, const std::string& queue, const std::string& table, const MergeState& from,
                      const std::optional<std::string>& snapshot, const MergeState& to) {
  pg::Result current = tx.exec(
      "select merge_state from londiste.table_info where queue_name = $1 and table_name = $2 and local for no key "
      "update",
      queue, table);
  if (current.rows() == 0 || MergeState::parse(current.get<std::string>(0, 0)) != from) return false;
  cascade::run_command(tx, "londiste.local_set_table_state($1, $2, $3, $4)", {queue, table, snapshot, to.str()});
  tx.exec("select pg_catalog.pg_notify($1, $2)", cascade::kNodeChannel, queue);
  log::info("table " + table + " status changed to '" + to.str().value_or("NULL") + "'",
            {{"queue", queue}, {"table", table}});
  return true;
}

bool table_state_holds(pg::Transaction& tx, const std::string& queue, const std::string& table,
                       const MergeState& state) {
  pg::Result r = tx.exec(
      "select merge_state from londiste.table_info where queue_name = $1 and table_name = $2 and local for share",
      queue, table);
  return r.rows() == 1 && MergeState::parse(r.get<std::string>(0, 0)) == state;
}

std::string copy_consumer(const std::string& worker, const std::string& table) { return worker + ".copy." + table; }

}  // namespace skytools::londiste
