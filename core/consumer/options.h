#pragma once
#include "core/config/settings.h"
#include "core/consumer/loop.h"
#include "core/consumer/move_sink.h"
#include "core/consumer/sql_sink.h"

namespace skytools::consumer {

using config::joined;

/// Keys of every consumer: who reads what, how much at a time.
inline constexpr config::Option kReadOptions[] = {
    {.key = "consumer", .help = "name of the consumer; default: the job's name", .value = "NAME"},
    {.key = "register",
     .type = config::Type::boolean,
     .help = "register the consumer at start, at the newest tick, when it is not registered"},
    {.key = "table_filter",
     .type = config::Type::list,
     .help = "only events of these tables (extra1), separated by commas, without a schema: public; the others count as "
             "done",
     .value = "TABLE",
     .when = config::When::reload},
    {.key = "min_count",
     .type = config::Type::integer,
     .help = "batches of at least so many events; with min_interval: whichever is reached first",
     .when = config::When::reload},
    {.key = "min_interval",
     .type = config::Type::duration,
     .help = "batches that span at least this time",
     .when = config::When::reload},
    {.key = "keep_lag",
     .type = config::Type::duration,
     .help = "stay this far behind: no batch younger than this",
     .when = config::When::reload},
    {.key = "loop_delay",
     .type = config::Type::duration,
     .fallback = "1s",
     .help = "longest pause between two looks for a batch; a new tick wakes earlier",
     .when = config::When::reload},
    {.key = "fetch.max_bytes",
     .type = config::Type::size,
     .fallback = "16MB",
     .help = "memory for the events of a batch; what is beyond waits in a temporary file"},
    {.key = "exception_sleep",
     .type = config::Type::duration,
     .fallback = "20s",
     .help = "longest pause after an error; the first ones are shorter"},
    {.key = "connection_lifetime",
     .type = config::Type::duration,
     .fallback = "20m",
     .help = "age at which the connection is renewed",
     .when = config::When::reload},
    {.key = "stats_interval",
     .type = config::Type::duration,
     .fallback = "5m",
     .help = "pause between lines of statistics",
     .when = config::When::reload},
};

/// What is done with the events: run, coop and local.
inline constexpr config::Option kActionOptions[] = {
    {.key = "exec", .help = "command that reads events from its stdin and answers on its stdout", .value = "CMD"},
    {.key = "sql", .help = "statement run for each event", .value = "STATEMENT"},
    {.key = "target",
     .help = "database the statement runs in; default: that of the queue",
     .value = "CONNINFO",
     .connection = true},
    {.key = "tracking",
     .fallback = "auto",
     .help = "how another database remembers its batches; auto: in pgq_ext where that is installed",
     .choices = "auto|none|pgq_ext"},
    {.key = "on_error",
     .fallback = "retry",
     .help = "an event that fails, or that the command ends at: stop and come again with the batch, retry as the "
             "queue's policy says (over its limit: dead), or dead at once",
     .choices = "stop|retry|dead"},
};

inline constexpr config::Option kGroupOptions[] = {
    {.key = "subconsumer",
     .help = "name of this member of the group; with --workers the names are this with -1, -2, …",
     .value = "NAME"},
    {.key = "workers",
     .type = config::Type::integer,
     .help = "start so many members, each a process, and keep them running"},
    {.key = "subconsumer_timeout",
     .type = config::Type::duration,
     .help = "a sibling silent for so long loses its batch; longer than the longest batch. Default: never"},
};

inline constexpr config::Option kLocalOptions[] = {
    {.key = "tracking_file", .help = "file that holds the last tick worked off", .value = "FILE"},
};

inline constexpr config::Option kPositionOptions[] = {
    {.key = "rewind",
     .type = config::Type::boolean,
     .help = "move the queue to the position kept outside of it, then exit",
     .where = config::Where::flag},
    {.key = "reset",
     .type = config::Type::boolean,
     .help = "forget the position kept outside of the queue, then exit",
     .where = config::Where::flag},
};

inline constexpr config::Option kBridgeOptions[] = {
    {.key = "from",
     .help = "database of the queue that is read; default: --db",
     .value = "CONNINFO",
     .connection = true},
    {.key = "to", .help = "database the events go to", .value = "CONNINFO", .connection = true},
};

inline constexpr config::Option kMoveOnlyOptions[] = {
    {.key = "to_queue", .help = "queue there; default: the same name", .value = "NAME"},
};

inline constexpr config::Option kSplitOnlyOptions[] = {
    {.key = "field",
     .fallback = "extra1",
     .help = "field that names the queue of an event: type, extra1 … extra4; extra1 is the table of captured changes",
     .value = "FIELD"},
    {.key = "prefix", .help = "put before the field's value to make the queue's name", .value = "TEXT"},
    {.key = "create_queues", .type = config::Type::boolean, .help = "make queues that are missing"},
};

inline constexpr auto kRunOptions = joined(kActionOptions, kReadOptions);
inline constexpr auto kCoopOptions = joined(kGroupOptions, kActionOptions, kReadOptions);
inline constexpr auto kFileOptions = joined(kLocalOptions, kPositionOptions, kActionOptions, kReadOptions);
inline constexpr auto kMoveOptions = joined(kBridgeOptions, kMoveOnlyOptions, kPositionOptions, kReadOptions);
inline constexpr auto kSplitOptions = joined(kBridgeOptions, kSplitOnlyOptions, kPositionOptions, kReadOptions);

/// @param db  connect string of the queue's database  @throws UsageError
Settings read_settings(const config::Settings& config, const std::string& db);

/// What run, coop and local do with the events: one of exec and sql, or with `may_print` nothing. The command or
/// statement is empty when it isn't that. @throws UsageError
struct Action {
  std::string exec;
  SqlSettings sql;
  OnError on_error;
};
Action read_action(const config::Settings& config);

/// For move and split. @throws UsageError
Route read_route(const config::Settings& config, bool split, const std::string& queue);

}  // namespace skytools::consumer
