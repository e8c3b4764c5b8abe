#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/base/deadline.h"
#include "core/schema/state.h"

namespace skytools::schema {

struct InstallOptions {
  std::vector<std::string> modules;                      ///< empty or "all": every one; what they need comes along
  bool upgrade = false;                                  ///< run all function and grant files again, changed or not
  bool dry_run = false;                                  ///< plan only
  milliseconds lock_timeout = std::chrono::seconds(10);  ///< for each lock, the one against a second installer included
  Source source = embedded();
};

/// What was done for a module, or would be under dry_run.
struct Action {
  std::string module;
  std::string version;  ///< now there; of the extension when one owns the schema
  std::string state;    ///< found: absent, current, changed, unrecorded, extension
  std::string action;   ///< installed, upgraded, taken over, adopted, none
  std::string extension;
  std::vector<std::string> steps;  ///< file names and statements, in order
};

/// Brings the modules to the state this program carries: all in one transaction, so it happens completely or not at
/// all. Where nothing is to do it only reads. @throws Refused  see plan.cpp and locks; SqlError  with file:line of the
/// statement
std::vector<Action> install(pg::Connection& c, const InstallOptions& options);

/// The same as a psql script for somebody else's hands; works on a fresh database and again on an installed one.
std::string install_script(const std::vector<std::string>& modules, const Source& source = embedded());

/// What an uninstallation drops, and what goes with it.
struct Removal {
  std::vector<std::string> schemas;  ///< in the order of dropping
  std::vector<std::string> lost;     ///< "queue orders (2 consumers)", "trigger … on table …", …
};

/// Drops the schemas with all data, after `confirm` (which throws to refuse) has seen what is lost. Roles stay: other
/// databases use them.
/// @throws Refused  for schemas of an extension, of unknown origin, or needed by a module that stays
Removal uninstall(pg::Connection& c, const InstallOptions& options, const std::function<void(const Removal&)>& confirm);

}  // namespace skytools::schema
