#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/pg/transaction.h"
#include "core/schema/modules.h"

namespace skytools::schema {

/// A module as it stands in a database.
struct ModuleState {
  std::string name;
  std::string version;  ///< recorded one, or the extension's; "" when nothing is known
  std::string
      origin;  ///< "skytools": ours, "extension": CREATE EXTENSION owns it, "": absent or made by somebody unknown
  bool present = false;      ///< the schema exists
  bool current = false;      ///< the installer has nothing to do here
  std::string extension;     ///< name of the owning extension
  std::string owner;         ///< role that owns the schema
  bool owner_is_us = false;  ///< we may replace its objects
  bool owner_trusted =
      false;  ///< we, a superuser or the owner of the database: nobody who could lure us into running his code
  bool roles_missing = false;  ///< as after a restore into another cluster: grants are lost with them
  bool fits = false;           ///< has the table and column that tell the module from a stranger of the same name
  bool recorded = false;       ///< skytools.module has it with this origin and version
  std::map<std::string, std::string, std::less<>> files;  ///< recorded path → sha256
  std::vector<const File*> changed;                       ///< files that differ from what was applied
};

/// All modules, in the order of kModules. Reads only.
/// @throws Refused  when schema skytools belongs to a stranger, whose records nobody should trust
std::vector<ModuleState> states(pg::Transaction& tx, const Source& source = embedded());

const ModuleState& state_of(const std::vector<ModuleState>& all, std::string_view module);

/// Makes sure that the modules are there and not older than this program; one query. Modules owned by an extension will
/// do.
/// @throws SchemaMissing  naming the module and the command that installs it
void require(pg::Connection& c, std::initializer_list<std::string_view> modules);

}  // namespace skytools::schema
