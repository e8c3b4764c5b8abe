#pragma once
#include <string>
#include <vector>

#include "core/schema/install.h"

namespace skytools::schema {

/// One thing to run: a file, or a statement.
struct Step {
  const File* file = nullptr;
  std::string sql = {};
  bool replace = false;  ///< a function file over an older schema: functions it cannot replace are dropped first
  std::string label() const { return file ? "schema/" + std::string(file->path) : sql; }
};

/// What one module needs, decided from its state alone.
struct Plan {
  const Module* module;
  std::string state, action, version, extension;
  std::vector<Step> steps;
  std::string owner = {};  ///< of the schema that was there, who gets what is made in it
  bool record = false;     ///< write skytools.module and skytools.file afterwards
};

/// @throws Refused  the schema is newer than this program, somebody else's, too old an extension, or no schema of ours
/// at all
Plan plan_module(const Module& module, const ModuleState& state, const InstallOptions& options,
                 const std::string& label);

/// What is sent of a file: comment lines at the left margin, outside of function bodies, stay here, as they may use
/// characters that the database's encoding lacks. `keep_lines`: they leave empty lines behind, so that error positions
/// fit.
std::string text_to_send(std::string_view text, bool keep_lines);

/// First statement of every run, inside the transaction. Names resolve to nothing but the system's own objects.
std::string settings_script(milliseconds lock_timeout);

/// Taken for the transaction: one installer at a time per database.
inline constexpr const char* kInstallerLock = "select pg_catalog.pg_advisory_xact_lock(1397446516, 2)";
inline constexpr std::string_view kLockNotAvailable = "55P03";

/// Settings and lock, at the start of a transaction. @throws Refused  when another installer holds the lock for too
/// long
void begin_alone(pg::Transaction& tx, milliseconds lock_timeout);

}  // namespace skytools::schema
