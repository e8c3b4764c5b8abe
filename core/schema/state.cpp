#include "core/schema/state.h"

#include <algorithm>

#include "core/base/error.h"

namespace skytools::schema {

namespace {

/// One row per module: what the catalogs say, without trusting any table of ours.
constexpr const char* kCatalogQuery = R"sql(
select m.name, n.oid is not null, pg_get_userbyid(n.nspowner), pg_has_role(n.nspowner, 'usage'),
       n.nspowner = (select datdba from pg_database where datname = current_database())
       or o.rolsuper or o.rolname in (current_user, 'pg_database_owner')
       -- a superuser counts as a member of every role, which says nothing about trust
       or (not me.rolsuper and pg_has_role(n.nspowner, 'member')),
       e.extname, e.extversion,
       exists (select from pg_attribute a join pg_class c on c.oid = a.attrelid
                where c.relnamespace = n.oid and c.relkind = 'r' and c.relname = m.tab and a.attname = m.col
                  and not a.attisdropped)
       or exists (select from pg_proc where pronamespace = n.oid and m.tab = '' and proname = m.col),
       exists (select from unnest(string_to_array(m.roles, ' ')) r where to_regrole(r) is null)
  from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as m (name, tab, col, roles, nr)
  join pg_roles me on me.rolname = current_user
  left join pg_namespace n on n.nspname = m.name
  left join pg_roles o on o.oid = n.nspowner
  left join lateral (
       select x.extname, x.extversion from pg_depend d join pg_extension x on x.oid = d.refobjid
        where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
          and (d.classid = 'pg_namespace'::regclass and d.objid = n.oid
               or d.classid = 'pg_class'::regclass
                  and d.objid = (select oid from pg_class where relnamespace = n.oid and relname = m.tab))
        limit 1) e on true
 order by m.nr)sql";

std::string sql_array(std::string_view Module::*member) {
  std::string out = "{";
  for (const Module& m : kModules) out += (out.size() > 1 ? ",\"" : "\"") + std::string(m.*member) + "\"";
  return out + "}";
}

ModuleState from_row(const pg::Result& r, int row) {
  auto flag = [&](int col) { return r.get<bool>(row, col).value_or(false); };
  auto text = [&](int col) { return r.get<std::string>(row, col).value_or(""); };
  ModuleState s;
  s.name = text(0);
  s.present = flag(1);
  s.owner = s.present ? text(2) : "";
  s.owner_is_us = flag(3);
  s.owner_trusted = flag(4);
  s.extension = text(5);
  s.fits = flag(7);
  s.roles_missing = flag(8);
  if (!s.extension.empty()) s.origin = "extension", s.version = text(6);
  return s;
}

/// Adds what skytools.module and skytools.file say.
void read_records(pg::Transaction& tx, std::vector<ModuleState>& all) {
  auto modules = tx.exec("select name, version, origin from skytools.module");
  auto files = tx.exec("select module, path, sha256 from skytools.file");
  for (auto& s : all) {
    for (int i = 0; i < modules.rows(); ++i) {
      auto [name, version, origin] = modules.row<std::string, std::string, std::string>(i);
      if (name != s.name || !s.present) continue;
      if (s.origin == "extension") {
        s.recorded = origin == s.origin && version == s.version;
      } else if (origin == "skytools") {
        s.recorded = true, s.origin = origin, s.version = version;
      }  // else: an extension let go of its objects; nobody knows in which shape they are
    }
    for (int i = 0; i < files.rows() && s.origin == "skytools"; ++i)
      if (files.text(i, 0) == s.name) s.files.emplace(files.text(i, 1), files.text(i, 2));
  }
}

}  // namespace

std::vector<ModuleState> states(pg::Transaction& tx, const Source& source) {
  auto r = tx.exec(kCatalogQuery, sql_array(&Module::name), sql_array(&Module::table), sql_array(&Module::column),
                   sql_array(&Module::roles));
  std::vector<ModuleState> all;
  for (int i = 0; i < r.rows(); ++i) all.push_back(from_row(r, i));

  const ModuleState& home = state_of(all, "skytools");
  if (home.present && !home.owner_trusted)
    throw Refused("[" + tx.connection().label() + "] schema skytools belongs to role " + home.owner +
                  ", who owns neither the database nor the server: install as that role, or drop the schema");
  if (home.present && home.fits) read_records(tx, all);

  for (auto& s : all) {
    std::size_t known = 0;
    for (auto& [file, kind] : files_of(s.name, source.files)) {
      auto applied = s.files.find(file->path);
      known += applied != s.files.end();
      if (applied == s.files.end() || applied->second != file->sha256) s.changed.push_back(file);
    }
    bool ours = s.recorded && s.origin == "skytools" && s.version == module_named(s.name).version;
    s.current =
        s.origin == "extension" ? s.recorded : ours && s.changed.empty() && known == s.files.size() && !s.roles_missing;
  }
  return all;
}

const ModuleState& state_of(const std::vector<ModuleState>& all, std::string_view module) {
  for (auto& s : all)
    if (s.name == module) return s;
  throw std::logic_error("no such module: " + std::string(module));
}

namespace {

struct Needed {
  std::string name, version, origin;
  bool present;
};

/// The one query of require(). Without a schema skytools there are no records, and only extensions can be there.
std::vector<Needed> look_up(pg::Connection& c, const std::string& names) {
  const std::string head = "select m.name, pg_catalog.to_regnamespace(m.name) is not null, ";
  const std::string from = " from pg_catalog.unnest($1::text[]) with ordinality as m (name, nr) ";
  pg::Result r;
  try {
    pg::Transaction tx(c, pg::Mode::autocommit);
    r = tx.exec(head + "r.version, r.origin" + from + "left join skytools.module r using (name) order by m.nr", names);
  } catch (const pg::SqlError& e) {
    if (e.sqlstate() != "42P01" && e.sqlstate() != "3F000") throw;
    pg::Transaction tx(c, pg::Mode::autocommit);
    r = tx.exec(head + "null, null" + from + "order by m.nr", names);
  }
  std::vector<Needed> out;
  for (int i = 0; i < r.rows(); ++i)
    out.push_back({std::string(r.text(i, 0)), r.get<std::string>(i, 2).value_or(""),
                   r.get<std::string>(i, 3).value_or(""), r.get<bool>(i, 1).value_or(false)});
  return out;
}

}  // namespace

void require(pg::Connection& c, std::initializer_list<std::string_view> modules) {
  std::string names = "{";
  for (auto m : modules) names += (names.size() > 1 ? "," : "") + std::string(module_named(m).name);
  for (const Needed& n : look_up(c, names + "}")) {
    std::string advice = "; run: skytools install --db \"" + c.address() + "\"";
    if (!n.present) throw SchemaMissing("[" + c.label() + "] schema " + n.name + " is missing" + advice);
    std::string wanted(module_named(n.name).version);
    if (n.origin == "skytools" && compare_versions(n.version, wanted) < 0)
      throw SchemaMissing("[" + c.label() + "] schema " + n.name + " " + n.version +
                          " is too old, this program needs " + wanted + advice);
  }
}

}  // namespace skytools::schema
