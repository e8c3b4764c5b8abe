#include "core/londiste/structure.h"

#include "core/londiste/catalog.h"

namespace skytools::londiste {

namespace {

// Left in place: what a replica identity, CLUSTER mark, comment, foreign key, view or parent's index hangs on, and
// constraints with storage parameters, which pg_get_constraintdef() does not tell.
constexpr const char* kRemovableSql =
    "select i.relname, con.conname, pg_catalog.pg_get_constraintdef(con.oid), "
    "pg_catalog.pg_get_indexdef(x.indexrelid), x.indisprimary"
    " from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid"
    " join pg_catalog.pg_class c on c.oid = x.indrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " left join pg_catalog.pg_constraint con on con.conindid = x.indexrelid and con.conrelid = x.indrelid and "
    "con.contype in ('p', 'u', 'x')"
    " where n.nspname = $1 and c.relname = $2 and c.relkind = 'r' and x.indisvalid"
    " and not x.indisreplident and not x.indisclustered and coalesce(con.coninhcount, 0) = 0 and i.reltablespace = 0"
    " and (con.oid is null or i.reloptions is null)"
    " and not exists (select 1 from pg_catalog.pg_inherits h where h.inhrelid in (x.indexrelid, c.oid) or h.inhparent "
    "= c.oid)"
    " and not exists (select 1 from pg_catalog.pg_description d where d.objoid in (x.indexrelid, con.oid))"
    " and not exists (select 1 from pg_catalog.pg_depend d where d.refobjid in (x.indexrelid, con.oid) and d.deptype = "
    "'n')"
    " and not exists (select 1 from pg_catalog.pg_attribute a where a.attrelid = x.indexrelid and a.attstattarget >= 0 "
    "and a.attstattarget is not null)"
    " order by x.indisprimary, i.relname";

constexpr const char* kColumnsSql =
    "select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,"
    " pg_catalog.pg_get_expr(d.adbin, d.adrelid),"
    " case when a.attcollation <> t.typcollation and a.attcollation <> 0 then quote_ident(cn.nspname) || '.' || "
    "quote_ident(co.collname) end"
    " from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid"
    " left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
    " left join pg_catalog.pg_collation co on co.oid = a.attcollation left join pg_catalog.pg_namespace cn on cn.oid = "
    "co.collnamespace"
    " where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum";

constexpr const char* kDefaultSequencesSql =
    "select distinct sn.nspname || '.' || s.relname from pg_catalog.pg_depend d"
    " join pg_catalog.pg_attrdef ad on ad.oid = d.objid and d.classid = 'pg_catalog.pg_attrdef'::regclass"
    " join pg_catalog.pg_class s on s.oid = d.refobjid and d.refclassid = 'pg_catalog.pg_class'::regclass and "
    "s.relkind = 'S'"
    " join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace where ad.adrelid = $1::oid order by 1";

std::string relation_oid(pg::Transaction& tx, const TableName& name, const char* kinds) {
  pg::Result r = tx.exec(
      "select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
      " where n.nspname = $1 and c.relname = $2 and strpos($3, c.relkind::text) > 0",
      name.schema, name.name, kinds);
  return r.rows() ? std::string(r.text(0, 0)) : "";
}

std::string column_definition(pg::Result& r, int i) {
  using Text = std::optional<std::string>;
  auto [name, type, not_null, identity, generated, expression, collation] =
      r.row<std::string, std::string, bool, std::string, std::string, Text, Text>(i);
  std::string out = quote_ident(name) + " " + type;
  if (collation) out += " collate " + *collation;
  if (not_null) out += " not null";
  if (!identity.empty())
    out += std::string(" generated ") + (identity == "a" ? "always" : "by default") + " as identity";
  else if (!generated.empty())
    out += " generated always as (" + expression.value_or("") + (generated == "v" ? ") virtual" : ") stored");
  else if (expression)
    out += " default " + *expression;
  return out;
}

}  // namespace

std::vector<Removable> removable_indexes(pg::Transaction& tx, const TableName& table) {
  pg::Result r = tx.exec(kRemovableSql, table.schema, table.name);
  std::vector<Removable> out;
  for (int i = 0; i < r.rows(); ++i) {
    auto [index, constraint, constraint_def, index_def, primary] =
        r.row<std::string, std::optional<std::string>, std::optional<std::string>, std::string, bool>(i);
    if (constraint)
      out.push_back(
          {*constraint, "alter table only " + table.sql() + " drop constraint " + quote_ident(*constraint),
           "alter table only " + table.sql() + " add constraint " + quote_ident(*constraint) + " " + *constraint_def});
    else
      out.push_back({index, "drop index " + TableName{table.schema, index}.sql(), index_def});
  }
  return out;
}

std::string create_sequence_statement(pg::Transaction& tx, const TableName& sequence) {
  auto [type, start, low, high, increment, cache, cycle] =
      tx.one<std::string, std::string, std::string, std::string, std::string, std::string, bool>(
          "select pg_catalog.format_type(seqtypid, null), seqstart, seqmin, seqmax, seqincrement, seqcache, seqcycle"
          " from pg_catalog.pg_sequence where seqrelid = $1::regclass",
          sequence.sql());
  return "create sequence if not exists " + sequence.sql() + " as " + type + " start " + start + " minvalue " + low +
         " maxvalue " + high + " increment " + increment + " cache " + cache + (cycle ? " cycle" : " no cycle");
}

std::vector<std::string> create_table_statements(pg::Transaction& tx, const TableName& table,
                                                 const TableName& new_name) {
  std::string oid = relation_oid(tx, table, "rp");
  if (oid.empty()) throw Error("[" + tx.connection().label() + "] table " + table.str() + " does not exist");
  std::vector<std::string> out{"create schema if not exists " + quote_ident(new_name.schema)};
  // Without a search path types and expressions are printed with their schemas.
  tx.exec("select set_config('search_path', 'pg_catalog', true)");
  pg::Result sequences = tx.exec(kDefaultSequencesSql, oid);
  for (int i = 0; i < sequences.rows(); ++i) {
    TableName sequence = TableName::parse(sequences.text(i, 0));
    if (sequence.schema != new_name.schema)
      out.push_back("create schema if not exists " + quote_ident(sequence.schema));
    out.push_back(create_sequence_statement(tx, sequence));
  }
  pg::Result columns = tx.exec(kColumnsSql, oid);
  std::string body;
  for (int i = 0; i < columns.rows(); ++i) body += (i ? ",\n  " : "\n  ") + column_definition(columns, i);
  pg::Result key = tx.exec(
      "select pg_catalog.pg_get_constraintdef(oid) from pg_catalog.pg_constraint where conrelid = $1::oid and contype "
      "= 'p'",
      oid);
  if (key.rows()) body += ",\n  " + std::string(key.text(0, 0));
  out.push_back("create table " + new_name.sql() + " (" + body + ")");
  return out;
}

bool table_exists(pg::Transaction& tx, const TableName& table) { return !relation_oid(tx, table, "rp").empty(); }
bool sequence_exists(pg::Transaction& tx, const TableName& sequence) {
  return !relation_oid(tx, sequence, "S").empty();
}

}  // namespace skytools::londiste
