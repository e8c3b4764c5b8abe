#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/files.h"

namespace skytools::schema {

/// One part of the server side: a database schema of the same name and the files of the folder of that name.
struct Module {
  std::string_view name;
  std::string_view version;  ///< API level and our revision of it; raise the last number when an upgrade file is added
  std::string_view needs;    ///< module installed before this one, "" for none
  /// Tell this schema, whoever made it, from another one of the same name; without a table of its own, a function.
  std::string_view table, column;
  std::string_view roles;             ///< those its grants name, separated by blanks
  std::string_view oldest_extension;  ///< lowest version of an extension of that name that is adopted, "" for any

  /// Has it an upgrade_schema(), which brings tables of any 3.x revision to the present one and may be repeated? Schema
  /// skytools has upgrade files only.
  constexpr bool upgrades_itself() const { return name != "skytools" && !table.empty(); }
};

inline constexpr std::string_view kQueueRoles = "pgq_reader pgq_writer pgq_admin";

/// In the order of installation.
inline constexpr Module kModules[] = {
    {"skytools", SKYTOOLS_VERSION, "", "module", "origin", kQueueRoles, ""},
    {"pgq", "3.5.0", "skytools", "queue", "queue_per_tx_limit", kQueueRoles, "3.2"},
    {"pgq_node", "3.5.0", "pgq", "node_info", "combined_queue", kQueueRoles, "3.2"},
    {"pgq_coop", "3.4.0", "pgq", "", "register_subconsumer", kQueueRoles, "3.1"},
    {"pgq_ext", "3.1.0", "skytools", "completed_batch", "last_batch_id", kQueueRoles, "3.1"},
    {"londiste", "3.8.0", "pgq_node", "table_info", "merge_state", "pgq_admin londiste_reader londiste_writer", "3.2"},
};

/// The module of that name. @throws UsageError  for an unknown one, with what is known
const Module& module_named(std::string_view name);

/// Those named and everything they need, in the order of installation. Nothing named, or "all": every module.
/// @throws UsageError  for an unknown name
std::vector<const Module*> with_needs(const std::vector<std::string>& names);

/// Compares dotted versions number by number ("3.10" > "3.9.2"); text behind the numbers does not count. <0, 0, >0
int compare_versions(std::string_view a, std::string_view b);

/// What a file of a module is for; decides when it runs.
enum class Kind {
  tables,    ///< N_name.sql, N < 5: only where the schema is absent, before the functions
  upgrade,   ///< upgrade_name.sql: changes tables of an earlier revision; once on existing schemas, after the functions
  function,  ///< functions/NAME.sql: again whenever it changed
  triggers,  ///< N_name.sql, N >= 5: only where the schema is absent, after the functions
  grants,    ///< grants.sql: after every change
};

struct ModuleFile {
  const File* file;
  Kind kind;
};

/// The SQL files of a module in the order in which they run. @throws Error  for a file whose name fits no kind
std::vector<ModuleFile> files_of(std::string_view module, std::span<const File> files);

/// Where an installer takes its SQL from; tests bring their own.
struct Source {
  std::span<const File> files;
  std::string_view fingerprint;  ///< text of schema/fingerprint.tsv
};
Source embedded();

}  // namespace skytools::schema
