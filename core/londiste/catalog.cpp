#include "core/londiste/catalog.h"

#include <algorithm>

namespace skytools::londiste {

namespace {

constexpr const char* kTableSql =
    "select c.oid, c.relkind = 'p',"
    " exists (select 1 from pg_catalog.pg_index i where i.indrelid = c.oid and not i.indisprimary and (i.indisunique "
    "or i.indisexclusion)),"
    " exists (select 1 from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled in "
    "('R', 'A'))"
    " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')";

// An element of an array literal is parsed by the element type's own input function, so arrays are right for every type
// but arrays themselves (they would become one more dimension), types with another delimiter, and composites: unnest()
// would make a column of each of their fields. Domains have the category of what they are made of.
// The types of exact_text are those whose text no setting of the writer changes; timestamptz (TimeZone) and bytea
// (bytea_output) are not among them.
constexpr const char* kColumnSql =
    "select a.attname, quote_ident(tn.nspname) || '.' || quote_ident(t.typname),"
    " case when t.typcategory not in ('A', 'C') and t.typdelim = ',' then quote_ident(an.nspname) || '.' || "
    "quote_ident(at.typname) end,"
    " a.attgenerated <> '', a.attidentity = 'a',"
    " (select k.n from pg_catalog.pg_index i, unnest(i.indkey::int2[]) with ordinality as k(attnum, n)"
    "   where i.indrelid = a.attrelid and i.indisprimary and k.attnum = a.attnum),"
    " (t.typtype = 'e' or t.oid in (16, 18, 19, 20, 21, 23, 25, 26, 1042, 1043, 1082, 1083, 1114, 2950))"
    "  and coalesce((select co.collisdeterministic from pg_catalog.pg_collation co where co.oid = a.attcollation), "
    "true)"
    " from pg_catalog.pg_attribute a"
    " join pg_catalog.pg_type t on t.oid = a.atttypid join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace"
    " left join pg_catalog.pg_type at on at.oid = t.typarray left join pg_catalog.pg_namespace an on an.oid = "
    "at.typnamespace"
    " where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum";

}  // namespace

const Column* TableInfo::find(std::string_view column) const {
  for (auto& c : columns)
    if (c.name == column) return &c;
  return nullptr;
}

bool TableInfo::foldable(const std::vector<std::string>& keys) const {
  if (keys.empty() || other_unique || row_triggers || keys.size() != primary_key.size()) return false;
  for (auto& key : keys) {
    const Column* column = find(key);
    if (!column || !column->exact_text || std::find(primary_key.begin(), primary_key.end(), key) == primary_key.end())
      return false;
  }
  return true;
}

TableInfo read_table_info(pg::Transaction& tx, const TableName& name) {
  pg::Result table = tx.exec(kTableSql, name.schema, name.name);
  if (table.rows() == 0) throw Error("[" + tx.connection().label() + "] table " + name.str() + " does not exist");
  TableInfo info;
  info.name = name;
  std::string oid;
  std::tie(oid, info.partitioned, info.other_unique, info.row_triggers) = table.row<std::string, bool, bool, bool>(0);
  pg::Result r = tx.exec(kColumnSql, oid);
  std::map<std::int64_t, std::string> key;
  for (int i = 0; i < r.rows(); ++i) {
    auto [column, type, array, generated, always, key_position, exact] =
        r.row<std::string, std::string, std::optional<std::string>, bool, bool, std::optional<std::int64_t>, bool>(i);
    info.columns.push_back({column, type, array.value_or(""), generated, always, exact});
    if (key_position) key[*key_position] = column;
  }
  for (auto& [position, column] : key) info.primary_key.push_back(column);
  return info;
}

const TableInfo& Catalog::get(pg::Transaction& tx, const TableName& name) {
  auto it = tables_.find(name);
  if (it == tables_.end()) it = tables_.emplace(name, read_table_info(tx, name)).first;
  return it->second;
}

}  // namespace skytools::londiste
