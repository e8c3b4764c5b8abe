#include "cmd/context.h"

#include <unistd.h>

#include <ostream>

#include "core/base/error.h"
#include "core/ui/terminal.h"

namespace skytools::cmd {

std::string Context::db_conninfo() const { return settings.has("db") ? settings.text("db") : ""; }

std::vector<std::string> Context::db_conninfos() const {
  if (settings.has("databases")) return settings.list("databases");
  return {db_conninfo()};
}

std::string Context::queue() const {
  if (!settings.has("queue")) throw UsageError("which queue? name it with --queue (-Q)");
  return settings.text("queue");
}

Deadline Context::deadline() const {
  return settings.has("timeout") ? Deadline(settings.duration("timeout")) : Deadline();
}

void Context::confirm(std::string_view what) const {
  if (yes || dry_run) return;
  bool can_ask = ui::is_terminal(STDIN_FILENO) && ui::is_terminal(STDERR_FILENO) && !json;
  if (can_ask && ui::ask(std::string(what) + "?")) return;
  throw Refused(std::string(what) + ": not confirmed; --yes (-y) confirms");
}

void Context::print(const ui::Table& table) const { json ? table.print_json(out) : table.print(out); }

}  // namespace skytools::cmd
