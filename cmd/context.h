#pragma once
#include <atomic>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/command.h"
#include "core/base/deadline.h"
#include "core/base/stop.h"
#include "core/config/settings.h"
#include "core/ui/table.h"

namespace skytools::cmd {

/// What a command gets to work with.
struct Context {
  const Command& self;
  const config::Settings& settings;
  std::vector<std::string> args;
  StopToken& stop;
  std::ostream& out;                         ///< data only; everything else goes to the log
  bool json = false;                         ///< --json
  bool dry_run = false;                      ///< --dry-run
  bool yes = false;                          ///< --yes
  std::string command;                       ///< "londiste add-table"
  std::atomic<bool>& reload;                 ///< set by SIGHUP in daemons; the worker clears it
  std::function<config::Settings()> reread;  ///< reads files and environment again, flags kept. @throws UsageError

  /// Connect string of the local database: --db, else the job's; "" leaves everything to libpq.
  std::string db_conninfo() const;
  /// The databases of a ticker: `databases`, else the one of db_conninfo().
  std::vector<std::string> db_conninfos() const;
  /// --queue. @throws UsageError  when it is missing
  std::string queue() const;
  /// --timeout, counted from now; never comes when it isn't given.
  Deadline deadline() const;
  /// Asks before a step that destroys: `what` = "drop queue 'q'". @throws Refused  without --yes and without a yes from
  /// a terminal
  void confirm(std::string_view what) const;
  /// Rows on stdout: aligned for people, an array of objects under --json.
  void print(const ui::Table& table) const;
};

}  // namespace skytools::cmd
