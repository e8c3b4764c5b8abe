#include "core/base/quote.h"
#include "core/schema/install.h"
#include "core/schema/plan.h"

namespace skytools::schema {

namespace {

constexpr const char* kHead =
    "-- skytools " SKYTOOLS_VERSION
    ": the database side, for psql: psql -f FILE DATABASE\n"
    "-- Works on a fresh database and again on one that has the schemas; leaves those alone that an extension owns.\n"
    "-- Run it as the owner of the database, with CREATEROLE unless the roles are there.\n"
    "\\set ON_ERROR_STOP on\n"
    "begin;\n";

/// Sets the psql variables `fresh` and `extension`, on which the module's files depend.
std::string probe(const std::string& module) {
  const std::string name = quote_literal(module);
  return "select pg_catalog.to_regnamespace(" + name +
         ") is null as fresh,\n"
         "       exists (select from pg_depend d where d.deptype = 'e' and d.classid = 'pg_namespace'::regclass\n"
         "                  and d.objid = pg_catalog.to_regnamespace(" +
         name + ")) as extension \\gset\n";
}

std::string record(const std::string& module, const std::string& version, bool extension) {
  std::string value = extension ? "(select extversion from pg_extension where extname = " + quote_literal(module) + ")"
                                : quote_literal(version);
  return "insert into skytools.module (name, version, origin)\n"
         "values (" +
         quote_literal(module) + ", " + value + ", " + (extension ? "'extension'" : "'skytools'") +
         ")\n"
         "on conflict (name) do update set version = excluded.version, origin = excluded.origin,\n"
         "    installed_at = now(), installed_by = current_user;\n";
}

std::string module_script(const Module& module, const Source& source) {
  const std::string name(module.name), version(module.version);
  auto files = files_of(name, source.files);
  std::string records;
  auto add = [&](std::string& out, bool fresh_only, auto... kinds) {
    std::string part;
    for (auto& [file, kind] : files)
      if (bool wanted = ((kind == kinds) || ...); wanted)
        part += "\n-- schema/" + std::string(file->path) + "\n" + text_to_send(file->text, false);
    if (!part.empty()) out += fresh_only ? "\\if :fresh\n" + part + "\\endif\n" : part;
  };
  for (auto& [file, kind] : files)
    records += (records.empty() ? "" : ",\n") + std::string("    (") + quote_literal(name) + ", " +
               quote_literal(file->path) + ", " + quote_literal(file->sha256) + ")";

  std::string out =
      "\n\n-- module " + name + "\n" + probe(name) + "\\if :extension\n" + record(name, "", true) + "\\else\n";
  add(out, true, Kind::tables);
  add(out, false, Kind::function);
  std::string old;  // statements for a schema that was there before
  if (module.upgrades_itself()) old += "select " + name + ".upgrade_schema();\n";
  for (auto& [file, kind] : files)
    if (kind == Kind::upgrade) old += text_to_send(file->text, false);
  if (name == "pgq") old += "select skytools.adopt_queues();\n";
  if (!old.empty()) out += "\n\\if :fresh\n\\else\n" + old + "\\endif\n";
  add(out, true, Kind::triggers);
  add(out, false, Kind::grants);
  return out + "\n" + record(name, version, false) + "delete from skytools.file where module = " + quote_literal(name) +
         ";\ninsert into skytools.file (module, path, sha256) values\n" + records + ";\n\\endif\n";
}

}  // namespace

std::string install_script(const std::vector<std::string>& modules, const Source& source) {
  std::string out = kHead + settings_script(std::chrono::seconds(10)) + kInstallerLock + ";\n";
  for (const Module* m : with_needs(modules)) out += module_script(*m, source);
  return out + "\ncommit;\n";
}

}  // namespace skytools::schema
