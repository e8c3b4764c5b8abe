#include "cmd/dispatch.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "cmd/context.h"
#include "cmd/exit_code.h"
#include "cmd/help.h"
#include "cmd/root.h"
#include "cmd/signals.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/load.h"
#include "core/log/log.h"
#include "core/run/daemon.h"

namespace skytools::cmd {

namespace {

/// Has the other end of the pipe on stdout been closed? `head` has what it wants: that is no failure.
bool reader_gone() {
  pollfd p{STDOUT_FILENO, POLLOUT, 0};
  return poll(&p, 1, 0) > 0 && (p.revents & POLLERR);
}

/// How to speak before the command line is understood, and after.
struct Manners {
  bool json = false;
  std::int64_t quiet = 0;
};

/// From the raw words: good enough for errors of the command line itself.
Manners guess_manners(const std::vector<std::string>& argv) {
  Manners manners;
  for (auto& word : argv) {
    if (word == "--") break;
    if (word == "--json") manners.json = true;
    if (word == "-q" || word == "--quiet") ++manners.quiet;
    if (word == "-qq") manners.quiet += 2;
  }
  return manners;
}

void report(const Failure& failure, const Manners& manners) {
  if (manners.quiet > 1) return;
  if (manners.json) std::cout << to_json(failure) << std::endl;
  std::cerr << "skytools: " << failure.message << std::endl;
}

void check_count(const Invocation& invocation, const std::vector<std::string>& words) {
  const Command& command = invocation.command();
  if (words.size() >= command.min_args && words.size() <= command.max_args) return;
  std::string what =
      words.size() < command.min_args ? "missing argument" : "surplus argument '" + words[command.max_args] + "'";
  throw UsageError(what + "; " + usage_line(invocation));
}

log::Settings log_settings(const config::Settings& settings) {
  constexpr log::Level kLevels[] = {log::Level::trace,   log::Level::debug, log::Level::info,
                                    log::Level::warning, log::Level::error, log::Level::none};
  constexpr std::string_view kLevelNames[] = {"trace", "debug", "info", "warning", "error", "none"};
  log::Settings out;
  out.file = settings.text("log.file");
  std::string format = settings.text("log.format"), level = settings.text("log.level");
  out.format = format == "json" ? log::Format::json : format == "logfmt" ? log::Format::logfmt : log::Format::text;
  for (std::size_t i = 0; i < std::size(kLevels); ++i)
    if (level == kLevelNames[i]) out.least = kLevels[i];
  if (auto verbose = settings.integer("verbose")) out.least = verbose > 1 ? log::Level::trace : log::Level::debug;
  if (auto quiet = settings.integer("quiet")) out.least = quiet > 1 ? log::Level::none : log::Level::error;
  return out;
}

int show_help(const Invocation& invocation, std::ostream& out) {
  out << help_text(invocation) << std::flush;
  return kDone;
}

/// The command's own work: what it opens here (signal handlers, log file) belongs to the daemon, when it becomes one.
int work(const Invocation& invocation, const std::vector<std::string>& words, const config::Sources& sources,
         const config::Loaded& loaded, const Manners& manners) {
  static StopToken stop;
  static std::atomic<bool> reload = false;
  install_signals(stop, reload);
  const Command& command = invocation.command();
  const config::Settings& settings = loaded.settings;
  log::init(log_settings(settings));
  for (auto& warning : loaded.warnings) log::warning(warning);

  std::ostream nowhere(nullptr);
  std::ostream& out = manners.quiet > 1 ? nowhere : std::cout;
  Context context{.self = command,
                  .settings = settings,
                  .args = words,
                  .stop = stop,
                  .out = out,
                  .json = manners.json,
                  .dry_run = settings.boolean("dry_run"),
                  .yes = settings.boolean("yes"),
                  .command = invocation.words(),
                  .reload = reload,
                  .reread = [sources] { return config::load(sources).settings; }};
  try {
    int code = command.run(context);
    out.flush();
    if (manners.quiet <= 1 && !out && !reader_gone()) throw Error("cannot write to stdout");
    return code;
  } catch (...) {
    Failure failure = classify(std::current_exception());
    if (command.daemon && failure.stopped) return kDone;
    // Whoever reads only the log file must find the end there, too.
    if (command.daemon && settings.has("log.file")) log::error(failure.message);
    throw;
  }
}

/// Runs a command whose command line is parsed.
int run_command(const Invocation& invocation, const config::Arguments& arguments, const Manners& manners) {
  const Command& command = invocation.command();
  config::Sources sources{
      .tables = tables_of(command), .flags = arguments.flags, .types = job_types(), .wanted_type = command.job};
  config::Loaded loaded;
  if (command.reads_file)
    loaded = config::load(sources);
  else
    loaded.settings = config::Settings(sources.tables, {sources.flags, config::environment_layer(sources.tables)});
  auto run = [&] { return work(invocation, arguments.words, sources, loaded, manners); };
  return command.daemon ? run::run_daemon(run::daemon_options(loaded.settings), run) : run();
}

int parse_and_run(const std::vector<std::string>& argv, Manners& manners) {
  Invocation invocation = find_command(root(), argv);
  const Command& command = invocation.command();
  config::Arguments arguments = config::parse_arguments(tables_of(command), invocation.arguments);
  auto given = [&](const char* flag) { return arguments.flags.contains(flag); };
  manners.json = given("json");
  manners.quiet = given("quiet") ? std::stoll(arguments.flags["quiet"].items.at(0)) : 0;
  if (given("version")) {
    std::cout << "skytools " SKYTOOLS_VERSION "\n";
    return kDone;
  }
  if (given("help")) return show_help(invocation, std::cout);
  if (!command.run) {
    if (manners.json) throw UsageError("which command? " + usage_line(invocation));
    if (manners.quiet < 2) show_help(invocation, std::cerr);
    return kUsage;
  }
  check_count(invocation, arguments.words);
  return run_command(invocation, arguments, manners);
}

}  // namespace

int run(const std::vector<std::string>& argv) {
  Manners manners = guess_manners(argv);
  try {
    return parse_and_run(argv, manners);
  } catch (...) {
    Failure failure = classify(std::current_exception());
    report(failure, manners);
    return failure.exit;
  }
}

}  // namespace skytools::cmd
