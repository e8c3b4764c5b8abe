#include "cmd/queue.h"

#include "cmd/queue_commands.h"

namespace skytools::cmd {

namespace {

using config::Type;
using config::Where;

constexpr char kReader[] = "pgq_reader", kWriter[] = "pgq_writer", kAdmin[] = "pgq_admin";

constexpr config::Option text(std::string_view key, std::string_view value, std::string_view help) {
  return {.key = key, .help = help, .value = value, .where = Where::flag};
}

constexpr config::Option kCreateOptions[] = {
    {.key = "set",
     .type = Type::list,
     .help = "a parameter of the queue, repeatable; see skytools help queue set",
     .value = "PARAM=VALUE",
     .where = Where::flag},
};

constexpr config::Option kDropOptions[] = {
    {.key = "force",
     .type = Type::boolean,
     .fallback = "no",
     .help = "also when consumers are registered: they lose what they have not read",
     .where = Where::flag},
};

constexpr config::Option kPauseOptions[] = {
    text("consumer", "NAME", "only this consumer of the queue"),
};

constexpr config::Option kSendOptions[] = {
    text("type", "TEXT", "type of the event"),
    text("data", "TEXT", "its data"),
    text("extra1", "TEXT", "further field, for change events the table"),
    text("extra2", "TEXT", "further field"),
    text("extra3", "TEXT", "further field"),
    text("extra4", "TEXT", "further field"),
    {.key = "stdin",
     .type = Type::boolean,
     .fallback = "no",
     .help = "read the events from the standard input",
     .where = Where::flag},
    {.key = "format",
     .fallback = "jsonl",
     .help = "form of the standard input",
     .value = "FORMAT",
     .choices = "jsonl|csv",
     .where = Where::flag},
    {.key = "commit-every",
     .type = Type::integer,
     .fallback = "0",
     .help = "events per transaction; 0: all or nothing",
     .value = "N",
     .where = Where::flag},
};

constexpr config::Option kPeekOptions[] = {
    {.key = "limit",
     .type = Type::integer,
     .fallback = "10",
     .help = "events to show",
     .value = "N",
     .where = Where::flag},
};

constexpr config::Option kDeadListOptions[] = {
    {.key = "limit",
     .type = Type::integer,
     .fallback = "100",
     .help = "dead letters to show",
     .value = "N",
     .where = Where::flag},
};

constexpr config::Option kStatsOptions[] = {
    {.key = "watch",
     .type = Type::duration,
     .help = "look again so often until Ctrl-C; a bare number is seconds",
     .value = "SECONDS",
     .where = Where::flag},
};

constexpr config::Option kRegisterOptions[] = {
    {.key = "at", .type = Type::integer, .help = "begin behind this tick", .value = "TICK", .where = Where::flag},
    text("like", "OTHER", "begin where this consumer stands: behind its last finished tick"),
    text("at-time", "TIME", "begin behind the newest tick not after this time, or so long ago: 2h"),
};

constexpr std::string_view kShowDetails =
    "Without QUEUE: one page with all queues and their consumers.\n"
    "  Tables/Rotation  event tables, and the least time between rotations\n"
    "  Ticker           a tick is made after so many events / so long with events / so long without\n"
    "  TLag, EPS, New   age of the newest tick, events per second in the last minute, events since the tick\n"
    "  Lag, LastSeen    age of the consumer's last finished tick, time since it asked for a batch\n"
    "  Pending          events in ticks it has not finished\n"
    "\n"
    "With QUEUE: everything about it. Counts are distances in the event sequence: rolled back inserts count, too.\n"
    "\n"
    "Examples:\n"
    "  skytools queue show --db service=shop\n"
    "  skytools queue show orders --db service=shop --json";

constexpr std::string_view kStatsDetails =
    "Read from the event counts that ticks hold, as far back as there are ticks; costs the producers nothing.\n"
    "With --watch a column for the time since the last look comes first, and --json prints one line per queue and "
    "look.\n"
    "\n"
    "Examples:\n"
    "  skytools queue stats --db service=shop\n"
    "  skytools queue stats orders --watch 5 --db service=shop\n"
    "  skytools queue stats --watch 10 --json --db service=shop >> rates.jsonl";

constexpr std::string_view kCreateDetails =
    "A queue that is there stays as it is, except for what --set says. A new one gets retry_limit=5.\n"
    "Events become visible to consumers when a ticker runs: skytools ticker.\n"
    "\n"
    "Examples:\n"
    "  skytools queue create orders --db service=shop\n"
    "  skytools queue create orders --set ticker_max_lag=500ms --set retry_limit=none --db service=shop";

constexpr std::string_view kSetDetails =
    "Parameters, also with the prefix queue_ of their column; durations are 250ms, 3s, 2h, booleans yes or no:\n"
    "  ticker_max_count    tick when so many events are new\n"
    "  ticker_max_lag      tick when new events have waited so long\n"
    "  ticker_idle_period  longest time between ticks without events\n"
    "  ticker_paused       no ticks at all: skytools queue pause\n"
    "  rotation_period     least time between rotations of the event tables, which frees the space of what is read\n"
    "  external_ticker     ticks come from another node; set by the cascade\n"
    "  retry_limit         retries of an event before it becomes a dead letter, or none\n"
    "  retry_delay         wait before the first retry, where the consumer names none\n"
    "  retry_backoff       each further wait is so many times longer\n"
    "  retry_delay_max     longest such wait\n"
    "\n"
    "All values are checked first; either all are set or none.\n"
    "\n"
    "Example:\n"
    "  skytools queue set orders ticker_max_lag=1s retry_limit=10 --db service=shop";

constexpr std::string_view kPauseDetails =
    "A paused queue takes events, but makes no ticks, so nobody gets any. A paused consumer gets no batch; the queue\n"
    "keeps everything for it, so its tables grow.\n"
    "\n"
    "Examples:\n"
    "  skytools queue pause orders --db service=shop\n"
    "  skytools queue pause orders --consumer billing --db service=shop";

constexpr std::string_view kTickDetails =
    "Waits until there is a tick that shows everything committed before the command, so that consumers get it now.\n"
    "Whoever may (pgq_admin) makes the tick here, with or without a ticker running. Others, and where schema pgq "
    "belongs\n"
    "to an extension, ask the ticker; that spends some thousand event ids, which counts and rates will show as "
    "events.\n"
    "Waits at most --timeout, 30s when it is not given; then the exit code is 7.\n"
    "\n"
    "Example:\n"
    "  skytools queue tick orders --timeout 5s --db service=shop";

constexpr std::string_view kSendDetails =
    "Needs the rights of pgq_writer; a field that is not given is NULL.\n"
    "\n"
    "--stdin reads UTF-8: one JSON object per line (jsonl), or CSV whose first line names the fields. The names are "
    "type,\n"
    "data, extra1 to extra4. JSON values that are no strings are stored as their JSON text. An empty CSV field is "
    "NULL,\n"
    "\"\" is the empty text. What 'skytools consumer print' writes can be sent as it is: id, time and the like are "
    "new.\n"
    "\n"
    "All events are sent in one transaction: a bad line is named, and nothing is sent. With --commit-every N a "
    "failure\n"
    "leaves the events of the transactions before it in the queue, and says how many.\n"
    "\n"
    "Examples:\n"
    "  skytools queue send orders --type paid --data '{\"order\": 7}' --db service=shop\n"
    "  skytools queue send orders --stdin --db service=shop < events.jsonl\n"
    "  psql -c \"copy (select 'paid' as type, id as data from o) to stdout csv header\" |\n"
    "    skytools queue send orders --stdin --format csv --db service=shop";

constexpr std::string_view kPeekDetails =
    "Reads only: no batch is opened, the consumer will get the same events. If it works on a batch now, that batch's\n"
    "events come first. Needs the rights of pgq_reader.\n"
    "\n"
    "Example:\n"
    "  skytools queue peek orders billing --limit 3 --db service=shop";

constexpr std::string_view kRegisterDetails =
    "The consumer gets what is committed after the tick where it begins; without an option that is the newest one.\n"
    "A consumer that is there stays where it is; to ask for another place is refused, 'queue seek' moves it.\n"
    "\n"
    "Examples:\n"
    "  skytools queue register orders billing --db service=shop\n"
    "  skytools queue register orders billing_copy --like billing --db service=shop\n"
    "  skytools queue register orders audit --at-time 2h --db service=shop";

constexpr std::string_view kUnregisterDetails =
    "The queue no longer keeps events for it; its waiting retries and dead letters are gone. The main consumer of a "
    "group\n"
    "takes its members along.\n"
    "\n"
    "Example:\n"
    "  skytools queue unregister orders billing --db service=shop";

constexpr std::string_view kSeekDetails =
    "Moves a consumer back, so that events come again, or forward, so that they are skipped; says about how many.\n"
    "A number is a tick; a time or a duration (2h: two hours ago) the newest tick not after it. Ticks are kept for "
    "one\n"
    "or two rotation periods, and as long as a consumer needs them. Refused while the consumer works on a batch.\n"
    "\n"
    "Examples:\n"
    "  skytools queue seek orders billing 1500 --db service=shop\n"
    "  skytools queue seek orders billing 2h --dry-run --db service=shop\n"
    "  skytools queue seek orders billing '2026-03-01 12:00' --yes --db service=shop";

constexpr std::string_view kReplayDetails =
    "The events come again to this consumer alone, as retries whose count starts again. Without EVENT: all.\n"
    "\n"
    "Example:\n"
    "  skytools queue dead replay orders billing 4711 4712 --db service=shop";

constexpr Command kDeadChildren[] = {
    {.name = "list",
     .synopsis = "QUEUE [CONSUMER]",
     .help = "list dead letters, oldest first",
     .options = kDeadListOptions,
     .run = as<dead_list, kReader>,
     .details = "Example:\n  skytools queue dead list orders --db service=shop",
     .min_args = 1,
     .max_args = 2},
    {.name = "show",
     .synopsis = "QUEUE CONSUMER [EVENT...]",
     .help = "show dead letters in full",
     .run = as<dead_show, kReader>,
     .details = "EVENT is the event's id; without one, all are shown.\n\nExample:\n"
                "  skytools queue dead show orders billing 4711 --db service=shop",
     .min_args = 2,
     .max_args = kAnyArgs},
    {.name = "replay",
     .synopsis = "QUEUE CONSUMER [EVENT...]",
     .help = "give dead letters back to their consumer",
     .run = as<dead_replay, kAdmin>,
     .details = kReplayDetails,
     .min_args = 2,
     .max_args = kAnyArgs},
    {.name = "purge",
     .synopsis = "QUEUE CONSUMER [EVENT...]",
     .help = "delete dead letters",
     .run = as<dead_purge, kAdmin>,
     .details = "Without EVENT: all of the consumer's. Asks first, unless --yes is given.\n\nExample:\n"
                "  skytools queue dead purge orders billing 4711 --yes --db service=shop",
     .min_args = 2,
     .max_args = kAnyArgs},
};

constexpr Command kChildren[] = {
    {.name = "list",
     .help = "list the queues: event rate, waiting events, slowest consumer",
     .run = queue_list,
     .details = "State: active, paused (no ticks), or branch (ticks come from another node).\n\nExample:\n"
                "  skytools queue list --db service=shop"},
    {.name = "show",
     .synopsis = "[QUEUE]",
     .help = "show queues and their consumers, or one queue in full",
     .run = queue_show,
     .details = kShowDetails,
     .max_args = 1},
    {.name = "stats",
     .synopsis = "[QUEUE]",
     .help = "show how many events come in",
     .options = kStatsOptions,
     .run = queue_stats,
     .details = kStatsDetails,
     .max_args = 1},
    {.name = "create",
     .synopsis = "QUEUE",
     .help = "create a queue",
     .options = kCreateOptions,
     .run = as<queue_create, kAdmin>,
     .details = kCreateDetails,
     .min_args = 1,
     .max_args = 1},
    {.name = "set",
     .synopsis = "QUEUE PARAM=VALUE...",
     .help = "change parameters of a queue",
     .run = as<queue_set, kAdmin>,
     .details = kSetDetails,
     .min_args = 2,
     .max_args = kAnyArgs},
    {.name = "drop",
     .synopsis = "QUEUE",
     .help = "drop a queue with its events",
     .options = kDropOptions,
     .run = as<queue_drop, kAdmin>,
     .details = "Refuses while consumers are registered, naming them, unless --force is given. Asks first, "
                "unless --yes is given.\n\nExample:\n  skytools queue drop orders --force --yes --db service=shop",
     .min_args = 1,
     .max_args = 1},
    {.name = "pause",
     .synopsis = "QUEUE",
     .help = "make no more ticks, or give a consumer no more batches",
     .options = kPauseOptions,
     .run = as<queue_pause, kAdmin>,
     .details = kPauseDetails,
     .min_args = 1,
     .max_args = 1},
    {.name = "resume",
     .synopsis = "QUEUE",
     .help = "end a pause",
     .options = kPauseOptions,
     .run = as<queue_resume, kAdmin>,
     .details = "Example:\n  skytools queue resume orders --db service=shop",
     .min_args = 1,
     .max_args = 1},
    {.name = "tick",
     .synopsis = "QUEUE",
     .help = "make a tick now and wait for it",
     .run = as<queue_tick, kReader>,
     .details = kTickDetails,
     .min_args = 1,
     .max_args = 1},
    {.name = "send",
     .synopsis = "QUEUE",
     .help = "put an event into a queue, or a stream of them",
     .options = kSendOptions,
     .run = as<queue_send, kWriter>,
     .details = kSendDetails,
     .min_args = 1,
     .max_args = 1},
    {.name = "peek",
     .synopsis = "QUEUE CONSUMER",
     .help = "show what a consumer would get next",
     .options = kPeekOptions,
     .run = as<queue_peek, kReader>,
     .details = kPeekDetails,
     .min_args = 2,
     .max_args = 2},
    {.name = "register",
     .synopsis = "QUEUE CONSUMER",
     .help = "register a consumer",
     .options = kRegisterOptions,
     .run = as<queue_register, kReader>,
     .details = kRegisterDetails,
     .min_args = 2,
     .max_args = 2},
    {.name = "unregister",
     .synopsis = "QUEUE CONSUMER",
     .help = "end a consumer's registration",
     .run = as<queue_unregister, kReader>,
     .details = kUnregisterDetails,
     .min_args = 2,
     .max_args = 2},
    {.name = "seek",
     .synopsis = "QUEUE CONSUMER TICK|TIME",
     .help = "move a consumer to another tick",
     .run = as<queue_seek, kReader>,
     .details = kSeekDetails,
     .min_args = 3,
     .max_args = 3},
    {.name = "dead",
     .synopsis = "COMMAND",
     .help = "events that a consumer gave up: list, show, replay, purge",
     .children = kDeadChildren,
     .details =
         "An event becomes a dead letter when its consumer says so, or when it was retried as often as retry_limit "
         "of\nthe queue allows. It is kept until it is replayed or purged, or the consumer is unregistered."},
};

}  // namespace

constinit const Command kQueueCommand = {
    .name = "queue",
    .synopsis = "COMMAND",
    .help = "queues: create, watch, feed, and move their consumers",
    .children = kChildren,
    .details =
        "Producers put events into a queue; a ticker (skytools ticker) cuts them into batches; each registered\n"
        "consumer gets every event. The database needs the schemas (skytools install)."};

}  // namespace skytools::cmd
