#include "cmd/consumer.h"

#include "cmd/consumer_commands.h"
#include "core/consumer/options.h"

namespace skytools::cmd {

namespace {

constexpr std::string_view kRunDetails =
    "--exec starts the command once (/bin/sh -c) and writes one event per line to its stdin, a JSON object with id, "
    "time,\n"
    "txid, retry, type, data, extra1 … extra4, queue, consumer, batch, tick. It answers one line per event, in any "
    "order:\n"
    "  ack ID            done\n"
    "  retry ID SECONDS  again after so many seconds; without SECONDS: as the queue's policy says\n"
    "  dead ID REASON    never again: into the dead-letter store (skytools queue dead)\n"
    "A batch is finished when every event is answered; if the command ends before, the batch comes again. Its stderr "
    "goes\n"
    "to the log.\n"
    "\n"
    "--sql runs a statement per event, all of a batch in one transaction. Its parameters: $1 data, $2 type, $3 extra1, "
    "$4\n"
    "id, $5 time, $6 retry, $7 $8 $9 extra2, extra3, extra4. In the queue's database, or in one that has the schema "
    "pgq_ext,\n"
    "each event takes effect exactly once.\n"
    "\n"
    "Examples:\n"
    "  skytools consumer run -Q orders --consumer mailer --register --exec ./send-mail.py\n"
    "  skytools consumer run -Q orders --consumer totals --sql 'select app.count_order($1::jsonb)'\n"
    "  skytools consumer run -Q orders --consumer dw --sql 'select load_order($4, $1)' --target 'host=db2 dbname=dw'";

constexpr std::string_view kCoopDetails =
    "The members of a group share the batches of one consumer: each batch goes to one of them, several are worked on "
    "at "
    "the\n"
    "same time and end in any order. Each member is a process: start it here once per name, or --workers many.\n"
    "--exec and --sql are those of skytools consumer run.\n"
    "\n"
    "Examples:\n"
    "  skytools consumer coop -Q orders --consumer mailer --workers 4 --subconsumer-timeout 10m --exec ./send-mail.py\n"
    "  skytools consumer coop -Q orders --consumer mailer --subconsumer host7 --exec ./send-mail.py";

constexpr std::string_view kLocalDetails =
    "For effects outside of any database. The file is forced to disk after each batch; at the start the queue is moved "
    "to\n"
    "the file's tick, forwards or backwards. Ticks are the same on all nodes of a cascade, so --db may become another "
    "node.\n"
    "--exec and --sql are those of skytools consumer run; without either the events go to stdout as JSON lines.\n"
    "\n"
    "Example:\n"
    "  skytools consumer local -Q orders --consumer search --tracking-file /var/lib/search/pos --exec ./index.py";

constexpr std::string_view kMoveDetails =
    "Type, data, extra fields and time are kept; ids are those of the target queue. The schema pgq_ext in the target "
    "database\n"
    "remembers the tick in the same transaction, so each event arrives exactly once, in order.\n"
    "\n"
    "Example:\n"
    "  skytools consumer move --from 'host=shard1 dbname=shop' -Q orders --consumer to_dw --register \\\n"
    "      --to 'host=dw dbname=dw' --to-queue all_orders";

constexpr std::string_view kSplitDetails =
    "Like move, but each event goes to the queue that one of its fields names. A queue that is missing is an error, "
    "unless\n"
    "--create-queues makes it.\n"
    "\n"
    "Example:\n"
    "  skytools consumer split --from dbname=shop -Q changes --consumer by_table --register --to dbname=shop \\\n"
    "      --field extra1 --prefix t_ --create-queues";

constexpr std::string_view kPrintDetails =
    "One JSON object per line, as for run --exec. A batch is finished when its last line has been taken; when the "
    "reader "
    "goes\n"
    "away the open one comes again next time.\n"
    "\n"
    "Example:\n"
    "  skytools consumer print -Q orders --consumer debug --register --once | jq .data";

constexpr Command kChildren[] = {
    {.name = "list",
     .synopsis = "[QUEUE]",
     .help = "show all consumers, or those of a queue: position, lag, events to come",
     .run = consumer_list,
     .details = "State: idle, in batch, or paused (gets no batches).\n\nExample:\n"
                "  skytools consumer list orders --db service=shop",
     .max_args = 1},
    {.name = "run",
     .help = "hand events to a command or an SQL statement",
     .options = consumer::kRunOptions,
     .daemon = true,
     .run = consumer_run,
     .details = kRunDetails,
     .job = "consumer"},
    {.name = "coop",
     .help = "hand events to a command or an SQL statement, as one of several members that share the batches",
     .options = consumer::kCoopOptions,
     .daemon = true,
     .run = consumer_coop,
     .details = kCoopDetails,
     .job = "consumer_coop"},
    {.name = "local",
     .help = "hand events to a command or an SQL statement, the position kept in a local file",
     .options = consumer::kFileOptions,
     .daemon = true,
     .run = consumer_local,
     .details = kLocalDetails,
     .job = "consumer_local"},
    {.name = "move",
     .help = "move events to a queue of another database, exactly once",
     .options = consumer::kMoveOptions,
     .daemon = true,
     .run = consumer_move,
     .details = kMoveDetails,
     .job = "consumer_move"},
    {.name = "split",
     .help = "spread events over queues named by one of their fields",
     .options = consumer::kSplitOptions,
     .daemon = true,
     .run = consumer_split,
     .details = kSplitDetails,
     .job = "consumer_split"},
    {.name = "print",
     .help = "write events to stdout as JSON lines",
     .options = consumer::kReadOptions,
     .daemon = true,
     .run = consumer_print,
     .details = kPrintDetails},
};

}  // namespace

constinit const Command kConsumerCommand = {
    .name = "consumer",
    .synopsis = "COMMAND",
    .help = "do something with the events of a queue",
    .children = kChildren,
    .details =
        "A consumer is a named position on a queue. Its batches come until they are finished, so every event is "
        "handled at\n"
        "least once; nothing to say means done, an event that cannot be handled now is retried or put aside as "
        "dead.\n"
        "New ticks wake a consumer at once; --loop-delay is only the net."};

}  // namespace skytools::cmd
