// The schemas are an interface: clients, monitoring and older tools call these functions and read these tables.
// tests/facts holds what was measured on the original, object by object; here both sides become sets of lines, which
// must be equal in both directions.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "core/base/strings.h"
#include "core/schema/install.h"
#include "tests/support/cluster.h"

using namespace skytools;

namespace {

using Lines = std::set<std::string>;
using Rows = std::vector<std::vector<std::string>>;

/// Schemas of the facts that this version has.
bool ours(const std::string& schema) {
  return schema != "skytools" && std::any_of(std::begin(schema::kModules), std::end(schema::kModules),
                                             [&](const schema::Module& m) { return m.name == schema; });
}

/// Where we differ on purpose. "+" only here, "-" only in the original.
const std::map<std::string, const char*> kDeviations = {
    {"+grant function londiste.local_change_handler(text, text, text[], text): londiste_writer execute",
     "the original forgot this grant, so that only the owner could change a handler"},
};

/// Fields of a fact file, by section: lines behind "# name…" belong to `name`, those before to "".
std::map<std::string, Rows> read_facts(const std::string& name) {
  std::ifstream in(std::string(SKYTOOLS_SOURCE_DIR) + "/tests/facts/" + name);
  REQUIRE_MESSAGE(in, "cannot read tests/facts/" << name);
  std::map<std::string, Rows> out;
  std::string section;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# ")) {
      section = line.substr(2, line.find_first_of(": (", 2) - 2);
      continue;
    }
    std::vector<std::string> fields;
    for (std::size_t at = 0;;) {
      auto tab = line.find('\t', at);
      std::string field = line.substr(at, tab - at);
      // The queue of the test is the first of its database.
      for (auto n = field.find("<N>"); n != std::string::npos; n = field.find("<N>")) field.replace(n, 3, "1");
      fields.push_back(field);
      if (tab == std::string::npos) break;
      at = tab + 1;
    }
    out[section].push_back(fields);
  }
  auto& rows = out[""];
  REQUIRE(rows.size() > 2);
  rows.erase(rows.begin());  // headings
  return out;
}

Rows rows_of(const std::string& name) { return read_facts(name)[""]; }

/// The way the server breaks and indents definitions says nothing.
std::string squeeze(std::string text) {
  text = std::regex_replace(text, std::regex("\\s+"), " ");
  text = std::regex_replace(text, std::regex("\\( "), "(");
  return std::regex_replace(text, std::regex(" \\)"), ")");
}

/// "i_a text, i_b boolean [has default]" → "text, boolean"
std::string types_of(const std::string& arguments) {
  std::vector<std::string> types;
  for (auto argument : split(arguments, ',')) {
    if (auto mark = argument.find(" ["); mark != std::string::npos) argument.resize(mark);
    if (!argument.empty()) types.push_back(argument.substr(argument.find(' ') + 1));
  }
  return join(types, ", ");
}

void add_function(Lines& out, const std::string& schema, const std::string& name, const std::string& in,
                  const std::string& result, const std::string& volatility, const std::string& security,
                  const std::string& nulls, const std::string& granted) {
  const std::string function = "function " + schema + "." + name;
  out.insert(function + "(" + in + "): " + result + " " + volatility + " " + security + " " + nulls);
  for (auto& role : split(granted, ','))
    if (!role.empty()) out.insert("grant " + function + "(" + types_of(in) + "): " + role + " execute");
}

void add_grant(Lines& out, const std::string& kind, std::string object, const std::string& grantee,
               const std::string& privileges) {
  object = std::regex_replace(object, std::regex(", ?"), ", ");
  for (auto& p : split(lower(privileges), ',')) out.insert("grant " + kind + " " + object + ": " + grantee + " " + p);
}

Lines expected() {
  Lines out;
  for (auto file : {"pgq.tsv", "pgq_node.tsv", "pgq_coop.tsv", "pgq_ext.tsv"})
    for (auto& f : rows_of(file)) add_function(out, f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[9]);
  for (auto& f : rows_of("londiste.tsv")) {
    std::string result = f[3].empty() ? f[4] : (f[4].starts_with("SETOF") ? "SETOF (" : "(") + f[3] + ")";
    add_function(out, f[0], f[1], f[2], result, f[5], f[7], f[6], f[9]);
  }

  auto column = [&](auto& schema, auto& table, auto& pos, auto& name, auto& type, bool not_null, auto& fallback) {
    out.insert("column " + schema + "." + table + " " + pos + " " + name + " " + type + (not_null ? " not null" : "") +
               (fallback.empty() ? "" : " default " + fallback));
  };
  for (auto& f : rows_of("tables.tsv")) {
    if (!ours(f[0])) continue;
    column(f[0], f[1], f[3], f[4], f[5], f[6] == "not null", f[7]);
    if (f[8] == "inherited") out.insert("inherited " + f[0] + "." + f[1] + " " + f[4]);
  }
  for (auto& f : rows_of("constraints.tsv"))
    if (ours(f[0])) out.insert(f[2] + " " + f[0] + "." + f[1] + " " + f[3] + ": " + squeeze(f[4]));

  auto londiste = read_facts("londiste-tables.tsv");
  for (auto& f : londiste[""]) {
    if (f[0] != "londiste") continue;
    if (f[2] == "S") {
      out.insert("sequence londiste." + f[1] +
                 " integer: start 1 increment 1 max 2147483647 cache 1 no cycle");  // of a serial
      continue;
    }
    column(f[0], f[1], f[3], f[4], f[5], f[6] == "t", f[7]);
  }
  REQUIRE(londiste["constraints"].size() > 5);
  for (auto& f : londiste["constraints"]) {
    if (f[0] != "londiste") continue;
    out.insert("constraint londiste." + f[1] + " " + f[2] + ": " + squeeze(f[4]));
    if (f[3] == "p")
      out.insert("index londiste." + f[1] + " " + f[2] + ": UNIQUE btree " + f[4].substr(f[4].find('(')));
  }
  for (auto& f : londiste["triggers"])
    if (f[0] == "londiste") out.insert("trigger " + squeeze(f[3]));

  for (auto& f : rows_of("grants.tsv")) {
    if (f[0] == "role") {
      if (f[4] == "member of")
        out.insert("role " + f[2] + " is member of " + f[3]);
      else
        out.insert("role " + f[2] + " " + f[4]);
    } else if (ours(f[1])) {
      add_grant(out, f[0], f[0] == "schema" ? f[2] : f[1] + "." + f[2], f[3], f[4]);
    }
  }
  auto grants = read_facts("londiste-grants.tsv");
  for (auto& f : grants[""])
    if (f.size() == 4) add_grant(out, f[0], f[1], f[2], f[3]);
  REQUIRE(grants["roles"].size() >= 5);
  for (auto& f : grants["roles"]) {
    if (f.size() < 2) continue;
    out.insert("role " + f[0] + " nologin, no other attributes");
    for (auto& parent : split(f[1], ','))
      if (!parent.empty()) out.insert("role " + f[0] + " is member of " + parent);
  }
  return out;
}

/// The same lines from the catalogs.
constexpr const char* kLive = R"sql(
with s as (select oid, nspname as schema, nspacl, nspowner from pg_namespace where nspname in ('pgq', 'pgq_node', 'pgq_coop', 'pgq_ext', 'londiste')),
fun as (
    select p.*, s.schema, s.schema || '.' || p.proname as fqname,
           (select string_agg(trim(coalesce(p.proargnames[i], '') || ' ' || format_type(p.proargtypes[i - 1], null))
                   || case when i > p.pronargs - p.pronargdefaults then ' [has default]' else '' end, ', ' order by i)
              from generate_series(1, p.pronargs) i) as ins,
           (select string_agg(p.proargnames[i] || ' ' || format_type(p.proallargtypes[i], null), ', ' order by i)
              from generate_subscripts(p.proargmodes, 1) i where p.proargmodes[i] in ('o', 't', 'b')) as outs
      from pg_proc p join s on s.oid = p.pronamespace),
rel as (select c.*, s.schema, s.schema || '.' || c.relname as fqname from pg_class c join s on s.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')),
acl as (
    select 'function ' || fqname || '(' || oidvectortypes(proargtypes) || ')' as object, proowner as owner,
           coalesce(proacl, acldefault('f', proowner)) as acl from fun
    union all
    select case relkind when 'S' then 'sequence ' else 'table ' end || fqname, relowner,
           coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)) from rel
    union all
    select 'schema ' || schema, nspowner, coalesce(nspacl, acldefault('n', nspowner)) from s)
select 'function ' || fqname || '(' || coalesce(ins, '') || '): ' || case when proretset then 'SETOF ' else '' end
       || coalesce('(' || outs || ')', format_type(prorettype, null))
       || case provolatile when 'i' then ' immutable' when 's' then ' stable' else ' volatile' end
       || case when prosecdef then ' definer' else ' invoker' end || case when proisstrict then ' strict' else ' called_on_null' end
  from fun
union all
select 'column ' || r.fqname || ' ' || a.attnum || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || case when a.attnotnull then ' not null' else '' end || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
  from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where r.relkind <> 'S'
union all
select 'inherited ' || r.fqname || ' ' || a.attname from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0
 where not a.attislocal
union all
select 'constraint ' || r.fqname || ' ' || k.conname || ': ' || pg_get_constraintdef(k.oid)
  from rel r join pg_constraint k on k.conrelid = r.oid and k.contype <> 'n'
union all
select 'index ' || r.fqname || ' ' || i.relname || ': ' || case when x.indisunique then 'UNIQUE ' else '' end
       || substring(pg_get_indexdef(i.oid) from ' USING (.*)$')
  from rel r join pg_index x on x.indrelid = r.oid join pg_class i on i.oid = x.indexrelid
union all
select 'sequence ' || r.fqname || ' ' || format_type(q.seqtypid, null) || ': start ' || q.seqstart || ' increment ' || q.seqincrement
       || ' max ' || q.seqmax || ' cache ' || q.seqcache || case when q.seqcycle then ' cycle' else ' no cycle' end
  from rel r join pg_sequence q on q.seqrelid = r.oid
union all
select 'inherits ' || r.fqname || ' ' || p.relname || ': ' from rel r join pg_inherits h on h.inhrelid = r.oid join pg_class p on p.oid = h.inhparent
union all
select 'reloptions ' || r.fqname || ' : ' || array_to_string(r.reloptions, ', ') || coalesce('; toast: ' || array_to_string(t.reloptions, ', '), '')
  from rel r left join pg_class t on t.oid = r.reltoastrelid where r.reloptions is not null
union all
select 'trigger ' || pg_get_triggerdef(t.oid) from rel r join pg_trigger t on t.tgrelid = r.oid where not t.tgisinternal
union all
select 'grant ' || acl.object || ': ' || case when x.grantee = 0 then 'PUBLIC' else pg_get_userbyid(x.grantee) end || ' ' || lower(x.privilege_type)
       || case when x.is_grantable then ' grantable' else '' end
  from acl cross join aclexplode(acl.acl) x where x.grantee <> acl.owner
union all
select 'role ' || rolname || case when rolcanlogin or rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
       then ' with attributes' else ' nologin, no other attributes' end
  from pg_roles where rolname ~ '^(pgq|londiste)_'
union all
select distinct 'role ' || m.rolname || ' is member of ' || g.rolname
  from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid where m.rolname ~ '^(pgq|londiste)_')sql";

Lines live(const std::string& conninfo) {
  pg::Connection c("db", conninfo);
  pg::Transaction tx(c);
  tx.exec("set local search_path = pg_catalog");
  auto r = tx.exec(kLive);
  Lines out;
  for (int i = 0; i < r.rows(); ++i) out.insert(squeeze(std::string(r.text(i, 0))));
  return out;
}

}  // namespace

TEST_CASE("the schemas are exactly those of the original") {
  test::Database db;
  {
    pg::Connection c("db", db.conninfo());
    schema::install(c, {});
  }
  REQUIRE(db.query("select pgq.create_queue('facts'); select queue_id from pgq.queue") == "1");

  Lines want = expected(), have = live(db.conninfo()), seen;
  // Empty sets would agree on everything.
  REQUIRE(want.size() > 600);
  REQUIRE(have.size() > 600);
  auto report = [&](const Lines& a, const Lines& b, char sign, const char* what) {
    for (auto& line : a) {
      if (b.contains(line)) continue;
      if (kDeviations.contains(sign + line))
        seen.insert(sign + line);
      else
        FAIL_CHECK(what << line);
    }
  };
  report(want, have, '-', "missing: ");
  report(have, want, '+', "not in the original: ");
  for (auto& [line, why] : kDeviations) {
    CAPTURE(line);
    CHECK_MESSAGE(seen.contains(line), "a deviation that is none any more");
  }
}

TEST_CASE("functions with their owner's rights pin the search path") {
  test::Database db;
  pg::Connection c("db", db.conninfo());
  schema::install(c, {});
  CHECK(db.query("select coalesce(string_agg(oid::regprocedure::text, ', ' order by 1), 'all pinned') from pg_proc"
                 " where pronamespace::regnamespace::text in ('skytools', 'pgq', 'pgq_node', 'pgq_coop', 'pgq_ext', "
                 "'londiste') and prosecdef"
                 " and not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp'], false)") == "all pinned");
  CHECK(db.query("select count(*) > 20 from pg_proc where pronamespace = 'pgq'::regnamespace and prosecdef") == "t");
}

TEST_CASE("every module says an API version that fits") {
  test::Database db;
  pg::Connection c("db", db.conninfo());
  schema::install(c, {});
  for (auto name : {"pgq", "pgq_node", "pgq_coop", "pgq_ext", "londiste"}) {
    std::string live_version = db.query("select " + std::string(name) + ".version()");
    std::string version(schema::module_named(name).version);
    CAPTURE(live_version);
    CHECK(live_version.starts_with(version.substr(0, version.rfind('.'))));
  }
}
