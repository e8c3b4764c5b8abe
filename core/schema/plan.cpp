#include "core/schema/plan.h"

#include <algorithm>

#include "core/base/error.h"

namespace skytools::schema {

namespace {

bool is_changed(const ModuleState& s, const File* f) {
  return std::find(s.changed.begin(), s.changed.end(), f) != s.changed.end();
}

void add_upgrade_call(Plan& plan) {
  if (plan.module->upgrades_itself())
    plan.steps.push_back({.sql = "select " + std::string(plan.module->name) + ".upgrade_schema()"});
}

void plan_fresh(Plan& plan, const std::vector<ModuleFile>& files) {
  plan.action = "installed";
  for (auto& [file, kind] : files)
    if (kind != Kind::upgrade) plan.steps.push_back({.file = file});
}

/// A schema somebody made by running the SQL of the original, or a restored dump of one: its tables are kept as they
/// are.
void plan_take_over(Plan& plan, const std::vector<ModuleFile>& files) {
  plan.action = "taken over";
  for (auto& [file, kind] : files)
    if (kind == Kind::function) plan.steps.push_back({.file = file, .replace = true});
  add_upgrade_call(plan);
  for (auto& [file, kind] : files)
    if (kind == Kind::grants) plan.steps.push_back({.file = file});
  if (plan.module->name == "pgq") plan.steps.push_back({.sql = "select skytools.adopt_queues()"});
}

void plan_upgrade(Plan& plan, const std::vector<ModuleFile>& files, const ModuleState& s, bool everything) {
  plan.action = "upgraded";
  bool tables = false;
  for (auto& [file, kind] : files) {
    bool changed = is_changed(s, file);
    if (kind == Kind::function ? changed || everything : kind == Kind::upgrade && changed)
      plan.steps.push_back({.file = file, .replace = kind == Kind::function});
    tables |= changed && (kind == Kind::tables || kind == Kind::triggers);
  }
  if (tables) add_upgrade_call(plan);
  for (auto& [file, kind] : files)
    if (kind == Kind::grants) plan.steps.push_back({.file = file});
}

void plan_adopt(Plan& plan, const ModuleState& s, const std::string& label) {
  plan.version = s.version;
  plan.extension = s.extension;
  plan.action = s.current ? "none" : "adopted";
  if (compare_versions(s.version, plan.module->oldest_extension) < 0)
    throw Refused(label + "extension " + s.extension + " " + s.version + " is older than " +
                  std::string(plan.module->oldest_extension) + "; run: alter extension " + s.extension + " update");
}

/// Which dollar quote is open at the end of the line.
void follow_quotes(std::string_view line, std::string& quote) {
  for (;;) {
    auto at = line.find(quote.empty() ? "$" : std::string_view(quote));
    if (at == std::string_view::npos) return;
    line.remove_prefix(at);
    if (!quote.empty()) {
      line.remove_prefix(quote.size());
      quote.clear();
      continue;
    }
    auto end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", 1);
    bool opens = end != std::string_view::npos && line[end] == '$';
    if (opens) quote = line.substr(0, end + 1);
    line.remove_prefix(opens ? end + 1 : 1);
  }
}

}  // namespace

Plan plan_module(const Module& module, const ModuleState& s, const InstallOptions& options,
                 const std::string& connection) {
  const std::string label = "[" + connection + "] ", schema = "schema " + s.name;
  Plan plan{.module = &module,
            .state = "",
            .action = "none",
            .version = std::string(module.version),
            .extension = "",
            .steps = {},
            .owner = s.owner,
            .record = !s.current};
  auto files = files_of(module.name, options.source.files);
  auto need_owner = [&] {
    if (!s.owner_trusted || !s.owner_is_us)
      throw Refused(label + schema + " belongs to role " + s.owner +
                    "; install as that role, or give the schema away: alter " + schema + " owner to …");
  };

  if (!s.present) {
    plan.state = "absent";
    plan_fresh(plan, files);
  } else if (s.origin == "extension") {
    plan.state = "extension";
    plan_adopt(plan, s, label);
  } else if (s.recorded) {
    if (compare_versions(s.version, module.version) > 0)
      throw Refused(label + schema + " " + s.version + " is newer than this program's " + plan.version +
                    "; use the skytools that installed it, or a later one");
    plan.state = s.current ? "current" : "changed";
    if (!s.current || options.upgrade) {
      need_owner();
      plan_upgrade(plan, files, s, options.upgrade);
      plan.record = true;
    }
  } else {
    plan.state = "unrecorded";
    if (!s.fits)
      throw Refused(label + schema + " exists, but is no " + s.name + " of version 3 (it has no " + s.name + "." +
                    (module.table.empty() ? "" : std::string(module.table) + ".") + std::string(module.column) +
                    "); rename or drop it first");
    need_owner();
    plan_take_over(plan, files);
  }
  return plan;
}

std::string text_to_send(std::string_view text, bool keep_lines) {
  std::string out, quote;  // quote: the $tag$ we are inside of
  while (!text.empty()) {
    auto end = text.find('\n');
    std::string_view line = text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
    text.remove_prefix(line.size());
    if (quote.empty() && line.starts_with("--")) {
      if (keep_lines) out += '\n';
      continue;
    }
    out += line;
    follow_quotes(line, quote);
  }
  return out;
}

std::string settings_script(milliseconds lock_timeout) {
  return "set local search_path = pg_catalog;\n"
         "set local check_function_bodies = off;\n"
         "set local client_encoding = 'UTF8';\n"
         "set local standard_conforming_strings = on;\n"
         "set local lock_timeout = " +
         std::to_string(lock_timeout.count()) + ";\n";
}

void begin_alone(pg::Transaction& tx, milliseconds lock_timeout) {
  tx.script(settings_script(lock_timeout));
  try {
    tx.exec(kInstallerLock);
  } catch (const pg::SqlError& e) {
    if (e.sqlstate() != kLockNotAvailable) throw;
    throw Refused("[" + e.connection() + "] another installation is at work in this database; try again later");
  }
}

}  // namespace skytools::schema
