#include "cmd/demo.h"

#include <iomanip>
#include <ostream>
#include <sstream>

#include "cmd/context.h"
#include "cmd/exit_code.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/run/demo.h"

namespace skytools::cmd {

namespace {

using config::Type;
using config::Where;

constexpr config::Option kOptions[] = {
    {.key = "keep",
     .type = Type::boolean,
     .fallback = "no",
     .help = "leave everything running and print the connect strings",
     .where = Where::flag},
    {.key = "seconds",
     .type = Type::duration,
     .fallback = "10s",
     .help = "how long the load runs at least; a bare number is seconds",
     .value = "N",
     .where = Where::flag},
    {.key = "dir",
     .help = "folder to work in, open to the user the servers run as; default: $TMPDIR or /tmp",
     .value = "DIR",
     .where = Where::flag},
};

constexpr std::string_view kDetails =
    "Starts two throwaway PostgreSQL servers (unix sockets only, nothing of yours is touched), makes a root, a branch "
    "and a\n"
    "leaf, replicates while pgbench writes, and compares every table on all nodes at the same tick: number of rows and "
    "a\n"
    "checksum over all values. Then the branch becomes the root and the old root its branch, and back, while pgbench "
    "writes,\nand everything is compared again. Needs the server programs of PostgreSQL and pgbench; "
    "SKYTOOLS_PG_BINDIR names their "
    "folder.\n"
    "As root the servers run as the user postgres.\n"
    "\n"
    "Exit code 0: every comparison was equal. 3: one was not.";

std::string seconds(milliseconds d) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1) << static_cast<double>(d.count()) / 1000;
  return out.str();
}

void print_json(Context& context, const run::DemoReport& report) {
  std::vector<std::string> tables, different, nodes, connections, pids;
  for (auto& t : report.tables) {
    tables.push_back(t.name);
    if (!t.different.empty()) different.push_back(t.name);
  }
  for (auto& n : report.nodes) nodes.push_back(n.name), connections.push_back(n.conninfo);
  // What --keep leaves behind; null without it.
  bool kept = !report.kept_pids.empty();
  ui::Json pauses{"["};
  for (auto pause : report.pauses) pauses.text += (pauses.text.size() > 1 ? ", " : "") + ui::Cell(pause).json();
  pauses.text += "]";
  for (auto pid : report.kept_pids) pids.push_back(std::to_string(pid));
  context.out << ui::json_object({{"equal", report.equal()},
                                  {"tick", report.tick},
                                  {"nodes", nodes},
                                  {"connections", kept ? ui::Cell(connections) : ui::Cell()},
                                  {"folder", kept ? ui::Cell(report.folder.string()) : ui::Cell()},
                                  {"pids", kept ? ui::Cell(pids) : ui::Cell()},
                                  {"tables", tables},
                                  {"different", different},
                                  {"rows", report.rows},
                                  {"copy", report.copy},
                                  {"catch_up", report.catch_up},
                                  {"write_pauses", pauses}})
              << '\n';
}

/// What --keep left behind, and how to get rid of it.
void print_kept(Context& context, const run::DemoReport& report) {
  for (auto& n : report.nodes) context.out << n.name << " runs on: psql \"" << n.conninfo << "\"\n";
  context.out << "to end and remove it: kill";
  for (auto pid : report.kept_pids) context.out << ' ' << pid;
  context.out << "; sleep 5; rm -r " << report.folder << "\n\n";
}

void print_text(Context& context, const run::DemoReport& report) {
  ui::Table table({"table", "rows", "comparison"});
  for (auto& t : report.tables)
    table.add({t.name, t.rows, t.different.empty() ? "equal" : "DIFFERENT on " + join(t.different, ", ")});
  context.out << '\n';
  table.print(context.out);
  context.out << '\n';
  if (!report.kept_pids.empty()) print_kept(context, report);
  if (!report.equal()) return;
  context.out << "demo passed: " << report.tables.size() << " tables equal on " << report.nodes.size() << " nodes, "
              << report.rows << " rows, copy " << seconds(report.copy) << " s, catch-up " << seconds(report.catch_up)
              << " s, write pause of a switchover";
  for (auto& pause : report.pauses)
    context.out << (&pause == &report.pauses.front() ? " " : " and ") << pause.count() << " ms";
  context.out << std::endl;
}

int demo(Context& context) {
  if (context.dry_run) {
    for (auto& title : run::demo_steps()) context.out << title << '\n';
    return 0;
  }
  run::DemoOptions options{.keep = context.settings.boolean("keep"),
                           .load = context.settings.duration("seconds"),
                           .folder = context.settings.text("dir"),
                           .say = {}};
  options.say = [&](const std::string& line) {
    context.json ? log::info(line) : void(context.out << line << std::endl);
  };
  run::DemoReport report = run::run_demo(options, context.stop);
  context.json ? print_json(context, report) : print_text(context, report);
  if (!report.equal()) throw DifferenceFound("the nodes differ");
  return 0;
}

}  // namespace

constinit const Command kDemoCommand = {.name = "demo",
                                        .synopsis = "",
                                        .help = "show replication at work on throwaway servers and check the result",
                                        .options = kOptions,
                                        .run = demo,
                                        .details = kDetails};

}  // namespace skytools::cmd
