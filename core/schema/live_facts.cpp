#include "core/schema/fingerprint.h"

namespace skytools::schema {

namespace {

/// Everything in one statement, so that one snapshot is described. Text is built only from functions whose output has
/// been the same since PostgreSQL 12; NOT NULL is taken from the column, as it became a constraint of its own in 18.
constexpr const char* kFacts = R"sql(
with roles as (
    select oid, rolname from pg_roles
     where rolname in ('pgq_reader', 'pgq_writer', 'pgq_admin', 'londiste_reader', 'londiste_writer')),
schemas as (select oid, nspname as module, nspacl, nspowner from pg_namespace where nspname = any ($1::text[])),
relations as (
    select c.oid, s.module, c.relkind, c.relacl, c.relowner, c.reloptions,
           case c.relkind when 'S' then 'sequence ' when 'v' then 'view ' else 'table ' end || s.module || '.' || c.relname as object
      from pg_class c join schemas s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'S')),
functions as (
    select p.*, s.module, 'function ' || s.module || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')' as object
      from pg_proc p join schemas s on s.oid = p.pronamespace),
acls as (
    select module, object, coalesce(proacl, acldefault('f', proowner)) as acl, proowner as owner from functions
    union all
    select module, object, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)), relowner from relations
    union all
    select module, 'schema ' || module, coalesce(nspacl, acldefault('n', nspowner)), nspowner from schemas),
facts (module, object, property, value) as (
    select module, 'schema ' || module, 'exists', 'yes' from schemas
    union all
    select a.module, a.object, 'grant to ' || coalesce(r.rolname, 'PUBLIC'),
           string_agg(lower(x.privilege_type) || case when x.is_grantable then ' with grant option' else '' end, ', '
                      order by x.privilege_type)
      from acls a cross join aclexplode(a.acl) x left join roles r on r.oid = x.grantee
     where x.grantee <> a.owner and (x.grantee = 0 or r.oid is not null)
     group by 1, 2, 3
    union all
    select f.module, f.object, p.property, p.value
      from functions f join pg_language l on l.oid = f.prolang
      cross join lateral (values
        ('kind', case f.prokind when 'f' then 'function' when 'p' then 'procedure' when 'a' then 'aggregate' else 'window' end),
        ('arguments', pg_get_function_arguments(f.oid)),
        ('result', coalesce(pg_get_function_result(f.oid), '')),
        ('language', l.lanname::text),
        ('volatility', case f.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end),
        ('security', case when f.prosecdef then 'definer' else 'invoker' end),
        ('null input', case when f.proisstrict then 'strict' else 'called' end),
        ('settings', coalesce((select string_agg(v, '; ' order by v) from unnest(f.proconfig) v), '')),
        ('body', 'sha256 ' || encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex'))) p (property, value)
    union all
    select r.module, r.object, 'column ' || a.attname,
           format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
           || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
      from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
     where r.relkind <> 'S'
    union all
    select r.module, r.object, 'constraint ' || k.conname, pg_get_constraintdef(k.oid)
      from relations r join pg_constraint k on k.conrelid = r.oid and k.contype in ('p', 'u', 'f', 'c', 'x')
    union all
    select r.module, r.object, 'index ' || i.relname, pg_get_indexdef(i.oid)
      from relations r join pg_index x on x.indrelid = r.oid join pg_class i on i.oid = x.indexrelid
    union all
    select r.module, r.object, 'trigger ' || t.tgname,
           pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' else ' (enabled: ' || t.tgenabled::text || ')' end
      from relations r join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
    union all
    select r.module, r.object, 'options', array_to_string(r.reloptions, ', ') from relations r where r.reloptions is not null
    union all
    select r.module, r.object, 'parent', h.inhparent::regclass::text from relations r join pg_inherits h on h.inhrelid = r.oid
    union all
    select r.module, r.object, 'definition', format_type(q.seqtypid, null) || ' start ' || q.seqstart || ' increment ' || q.seqincrement
           || ' from ' || q.seqmin || ' to ' || q.seqmax || ' cache ' || q.seqcache || case when q.seqcycle then ' cycle' else '' end
      from relations r join pg_sequence q on q.seqrelid = r.oid
    union all
    select m.module, 'role ' || r.rolname, p.property, p.value
      from roles r
      join (values ('skytools', 'pgq'), ('londiste', 'londiste')) m (module, prefix) on starts_with(r.rolname, m.prefix || '_')
      cross join lateral (
           select 'exists', 'yes'
           union all
           select 'member of ' || g.rolname, 'yes' from pg_auth_members a join roles g on g.oid = a.roleid where a.member = r.oid
           group by 1) p (property, value)
     where m.module = any ($1::text[]))
select module, object, property, value from facts order by module collate "C", object collate "C", property collate "C")sql";

}  // namespace

std::vector<Fact> live_facts(pg::Transaction& tx, const std::vector<std::string>& modules) {
  // Settings that change how the server prints types and constants.
  tx.script(
      "set local search_path = pg_catalog; set local intervalstyle = postgres; set local datestyle = 'ISO';"
      "set local client_encoding = 'UTF8'; set local quote_all_identifiers = off");
  std::string names = "{";
  for (auto& m : modules) names += (names.size() > 1 ? "," : "") + m;
  auto r = tx.exec(kFacts, names + "}");
  std::vector<Fact> out;
  for (int i = 0; i < r.rows(); ++i)
    out.push_back(
        {std::string(r.text(i, 0)), std::string(r.text(i, 1)), std::string(r.text(i, 2)), std::string(r.text(i, 3))});
  return out;
}

}  // namespace skytools::schema
