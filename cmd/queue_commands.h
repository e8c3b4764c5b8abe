#pragma once
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cmd/context.h"
#include "core/base/error.h"
#include "core/pg/transaction.h"
#include "core/pgq/admin.h"
#include "core/pgq/rates.h"
#include "core/pgq/step.h"

/// The run functions of `skytools queue …` by file, and what they share.
namespace skytools::cmd {

// queue_info.cpp
int queue_list(Context& context);
int queue_show(Context& context);
int queue_stats(Context& context);

// queue_change.cpp
int queue_create(Context& context);
int queue_drop(Context& context);
int queue_set(Context& context);
int queue_pause(Context& context);
int queue_resume(Context& context);
int queue_tick(Context& context);

// queue_events.cpp
int queue_send(Context& context);
int queue_peek(Context& context);

// queue_consumers.cpp
int queue_register(Context& context);
int queue_unregister(Context& context);
int queue_seek(Context& context);

// queue_dead.cpp
int dead_list(Context& context);
int dead_show(Context& context);
int dead_replay(Context& context);
int dead_purge(Context& context);

// queue_support.cpp

/// The connection of a queue command to --db; schema pgq is there. Text goes both ways as UTF-8.
class QueueDatabase {
 public:
  explicit QueueDatabase(const Context& context);
  pg::Connection& connection() { return connection_; }
  /// @throws SchemaMissing  with the command that installs it
  void require_skytools();

 private:
  pg::Connection connection_;
};

/// QUEUE, else --queue, else all.
std::optional<std::string> wanted_queue(const Context& context);

/// Runs the steps of a command in one transaction, or only gathers them under --dry-run.
class Change {
 public:
  Change(Context& context, pg::Connection& c) : context_(context), tx_(c) {}
  pg::Transaction& tx() { return tx_; }
  /// @return what the step returned; nullopt under --dry-run
  std::optional<std::int64_t> run(const pgq::Step& step);
  /// Commits, or prints the steps. False under --dry-run: then there is nothing to report.
  bool commit();

 private:
  Context& context_;
  pg::Transaction tx_;
  std::vector<pgq::Step> steps_;
};

/// Did the server refuse for want of rights, in this exception or in one nested in it?
bool permission_denied(const std::exception& e);

/// `Run`, which needs the rights of `Role`: told when the server refuses.
template <int (*Run)(Context&), const char* Role>
int as(Context& context) {
  try {
    return Run(context);
  } catch (const Error& e) {
    if (!permission_denied(e)) throw;
    std::throw_with_nested(Error(std::string("this takes a member of ") + Role));
  }
}

void print_steps(Context& context, const std::vector<pgq::Step>& steps);

/// Of a JSON object.
using Members = std::vector<std::pair<std::string, ui::Cell>>;

/// What a command did: a sentence for people in the log, one object for machines on stdout.
void report(Context& context, const std::string& sentence, const Members& members);

/// "3 events", "1 event"
std::string count_of(std::int64_t n, const std::string& thing);
/// "paused", "in batch" or "idle"
std::string consumer_state(const pgq::ConsumerInfo& c);
/// A rate with as many digits as matter.
ui::Cell rate_cell(const pgq::Inflow& inflow);
/// The text cut to a line that fits a table, with "…" where something is missing.
ui::Cell short_text(const std::optional<std::string>& text, std::size_t width);

}  // namespace skytools::cmd
