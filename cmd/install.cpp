#include "cmd/install.h"

#include <algorithm>
#include <iomanip>
#include <ostream>

#include "cmd/context.h"
#include "cmd/exit_code.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/schema/databases.h"
#include "core/schema/fingerprint.h"
#include "core/schema/install.h"

namespace skytools::cmd {

namespace {

constexpr config::Option flag(std::string_view key, std::string_view help) {
  return {.key = key, .type = config::Type::boolean, .fallback = "no", .help = help, .where = config::Where::flag};
}
constexpr config::Option kOptions[] = {
    flag("upgrade", "apply every function and grant again, not only what changed; mends what --check calls drifted"),
    flag("check", "change nothing, tell what is missing, old or drifted; exit 3 when something is"),
    flag("sql", "print the whole installation as a psql script; needs no database"),
    flag("uninstall", "drop the schemas with all queues and their data; roles stay"),
    flag("all-databases", "do it in every database of the server that accepts connections"),
    flag("fingerprint", "print the facts that --check compares, as found in this database"),
};
/// These exclude each other.
constexpr std::string_view kModes[] = {"check", "sql", "uninstall", "fingerprint"};

constexpr std::string_view kDetails =
    "Modules: pgq, pgq_node, pgq_coop, pgq_ext, londiste, all (the default); what a module needs comes with it.\n"
    "Consumers that write to another database want pgq_ext there; it needs no pgq. Everything happens in one\n"
    "transaction. Running it again changes nothing, or brings older schemas up to date. A schema that CREATE "
    "EXTENSION\n"
    "made is adopted: it stays as it is and belongs to the extension.\n"
    "\n"
    "The roles pgq_reader, pgq_writer, pgq_admin, londiste_reader and londiste_writer are created if missing, which\n"
    "needs CREATEROLE; nothing needs a superuser.\n"
    "\n"
    "Examples:\n"
    "  skytools install --db 'host=db1 dbname=shop'\n"
    "  skytools install pgq --db service=shop --dry-run\n"
    "  skytools install --check --db service=shop && echo all right\n"
    "  skytools install --sql > skytools.sql";

/// One line of the answer. `words` is for people; `members` for machines.
struct Line {
  std::string database;
  std::string module, version, words;
  std::vector<std::pair<std::string, ui::Cell>> members;
  std::vector<std::string> details;  ///< indented below the line
};

/// Prints lines for people at once and an array for machines at the end.
class Report {
 public:
  explicit Report(Context& context, bool with_database) : context_(context), with_database_(with_database) {}
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  void add(Line line) {
    if (context_.json) {
      if (with_database_) line.members.insert(line.members.begin(), {"database", line.database});
      json_ += (json_.empty() ? "" : ",\n ") + ui::json_object(line.members);
      return;
    }
    auto& out = context_.out;
    if (with_database_) out << std::left << std::setw(15) << line.database << ' ';
    out << std::left << std::setw(10) << line.module << ' ' << std::setw(6)
        << (line.version.empty() ? "-" : line.version) << ' ' << line.words << '\n';
    for (auto& detail : line.details) out << "  " << detail << '\n';
  }
  void finish() {
    if (context_.json) context_.out << '[' << json_ << "]\n";
  }

 private:
  Context& context_;
  bool with_database_;
  std::string json_;
};

std::string action_words(const schema::Action& a, bool dry_run) {
  std::string owner = a.extension.empty() ? "" : " (extension " + a.extension + " " + a.version + ")";
  if (a.action == "none") return a.extension.empty() ? "already installed" : "adopted" + owner;
  return (dry_run ? "would be " : "") + a.action + owner;
}

int run_install(Context& context, pg::Connection& c, const schema::InstallOptions& options, Report& report) {
  for (auto& a : schema::install(c, options)) {
    Line line{c.database(), a.module, a.version, action_words(a, options.dry_run), {}, {}};
    line.members = {{"module", a.module}, {"state", a.state}, {"version", a.version}, {"action", a.action}};
    if (!a.extension.empty()) line.members.emplace_back("extension", a.extension);
    if (context.dry_run) {
      line.members.emplace_back("steps", a.steps);
      line.details = a.steps;
    }
    report.add(line);
  }
  return kDone;
}

int run_check(Context&, pg::Connection& c, const schema::InstallOptions& options, Report& report) {
  bool good = true;
  for (auto& r : schema::check(c, options.modules, options.source)) {
    good &= r.good();
    Line line{c.database(), r.module, r.version, r.state, {}, r.differences};
    if (!r.extension.empty()) line.words = "adopted (extension " + r.extension + " " + r.version + ")";
    auto version = r.version.empty() ? ui::Cell() : ui::Cell(r.version);
    line.members = {{"module", r.module}, {"state", r.state}, {"version", version}, {"differences", r.differences}};
    report.add(line);
  }
  return good ? kDone : kDifference;
}

int run_uninstall(Context& context, pg::Connection& c, const schema::InstallOptions& options, Report& report) {
  auto removal = schema::uninstall(c, options, [&](const schema::Removal& r) {
    std::string what = "drop schemas " + join(r.schemas, ", ") + " from database " + c.database();
    if (!r.lost.empty()) what += " and lose: " + join(r.lost, ", ");
    context.confirm(what);
  });
  for (auto& name : removal.schemas) {
    Line line{c.database(), name, "", context.dry_run ? "would be dropped" : "dropped", {}, {}};
    line.members = {{"module", name},
                    {"action", "dropped"},
                    {"lost", name == removal.schemas.back() ? removal.lost : std::vector<std::string>{}}};
    if (name == removal.schemas.back())
      for (auto& lost : removal.lost) line.details.push_back("lost: " + lost);
    report.add(line);
  }
  if (removal.schemas.empty()) log::info("[" + c.label() + "] nothing is installed");
  return kDone;
}

using Run = int (*)(Context&, pg::Connection&, const schema::InstallOptions&, Report&);

/// One connection per database; a database that fails does not keep the others from their turn.
int run_everywhere(Context& context, const schema::InstallOptions& options, Run run,
                   const pg::ConnectOptions& connect) {
  Report report(context, true);
  int exit = kDone;
  for (auto& database : schema::databases(context.db_conninfo(), connect)) {
    try {
      pg::Connection c("db", database.conninfo, connect);
      int code = run(context, c, options, report);
      if (exit == kDone) exit = code;
    } catch (const Stopped&) {
      throw;
    } catch (const Error&) {
      Failure failure = classify(std::current_exception());
      log::error(failure.message);
      if (context.json) {
        Line line{database.name, "", "", "", {{"error", failure.message}, {"exit", failure.exit}}, {}};
        report.add(line);
      }
      if (exit == kDone || exit == kDifference) exit = failure.exit;
    }
  }
  report.finish();
  return exit;
}

int run(Context& context) {
  std::vector<std::string_view> modes;
  for (auto mode : kModes)
    if (context.settings.boolean(mode)) modes.push_back(mode);
  if (modes.size() > 1)
    throw UsageError("--" + std::string(modes[0]) + " and --" + std::string(modes[1]) + " exclude each other");
  std::string_view mode = modes.empty() ? "" : modes[0];
  bool everywhere = context.settings.boolean("all-databases");
  if (everywhere && !mode.empty() && mode != "check")
    throw UsageError("--all-databases does not go with --" + std::string(mode));

  schema::InstallOptions options;
  options.modules = context.args;
  options.upgrade = context.settings.boolean("upgrade");
  options.dry_run = context.dry_run;
  schema::with_needs(options.modules);  // a wrong name is told before anything is connected to

  if (mode == "sql") {
    context.out << schema::install_script(options.modules);
    return kDone;
  }
  pg::ConnectOptions connect;
  connect.stop = &context.stop;
  Run work = mode == "check" ? run_check : mode == "uninstall" ? run_uninstall : run_install;
  if (everywhere) return run_everywhere(context, options, work, connect);

  pg::Connection c("db", context.db_conninfo(), connect);
  if (mode == "fingerprint") {
    context.out << schema::fingerprint(c);
    return kDone;
  }
  Report report(context, false);
  int exit = work(context, c, options, report);
  report.finish();
  return exit;
}

}  // namespace

constinit const Command kInstallCommand{
    .name = "install",
    .synopsis = "[MODULE...]",
    .help = "put the schemas into a database, bring them up to date, check or drop them",
    .options = kOptions,
    .run = run,
    .details = kDetails,
    .max_args = kAnyArgs,
};

}  // namespace skytools::cmd
