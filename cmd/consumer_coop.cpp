#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "cmd/consumer_commands.h"
#include "cmd/consumer_loop.h"
#include "core/base/error.h"
#include "core/log/log.h"
#include "core/run/notify.h"
#include "core/run/workers.h"

namespace skytools::cmd {

namespace {

/// Keys a worker doesn't get from us: what makes the parent the parent.
constexpr std::string_view kOurs[] = {"workers", "subconsumer", "pid_file", "config"};

/// Everything the parent was told, as variables: the workers need no file, and passwords stand on no command line.
run::Environment environment_of(const config::Settings& settings) {
  run::Environment env;
  for (const char* name : {"SKYTOOLS_CONFIG", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    env.emplace_back(name, std::nullopt);
  for (auto& shown : settings.show()) {
    const config::Option& option = *shown.option;
    bool ours = std::find(std::begin(kOurs), std::end(kOurs), option.key) != std::end(kOurs);
    if (option.where == config::Where::flag || ours)
      env.emplace_back(config::environment_name(option), std::nullopt);
    else
      env.emplace_back(config::environment_name(option), settings.text(option.key));
  }
  return env;
}

run::Launch launch_of(const Context& context, const config::Settings& settings, const std::string& name) {
  // The link, not what it points to: an upgrade may have replaced that file.
  std::vector<std::string> argv{"/proc/self/exe", "consumer", "coop", "--subconsumer=" + name};
  if (settings.boolean("once")) argv.push_back("--once");
  for (auto [key, letter] : {std::pair{"quiet", 'q'}, {"verbose", 'v'}})
    if (auto n = context.settings.integer(key))
      argv.emplace_back("-" + std::string(static_cast<std::size_t>(n), letter));
  return {.argv = argv, .env = environment_of(settings), .death_signal = SIGTERM};
}

/// "SUB-1" … ; without --subconsumer the host's name, so that two machines may work for one group.
std::vector<std::string> names_of(const config::Settings& settings, std::int64_t workers) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::string base = host;
  base = settings.has("subconsumer") ? settings.text("subconsumer") : base.substr(0, base.find('.'));
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= workers; ++i) names.push_back(base + "-" + std::to_string(i));
  return names;
}

int run_workers(Context& context, const consumer::Settings& settings, std::int64_t count) {
  config::Settings current = context.settings;
  {
    consumer::Source source(settings.reader, {.stop = &context.stop});  // mistakes are told here, once
    source.require_registered(settings.may_register);
  }
  auto restart = [&] {
    if (!context.reload.exchange(false)) return false;
    run::notify_reloading();
    bool fresh = false;
    try {
      log::reopen();
      config::Settings read = context.reread();
      consumer::read_settings(read, source_conninfo(context, read));
      current = read;
      fresh = true;
      log::info("settings read again, the workers are started anew");
    } catch (const Error& e) {
      log::error("the old settings stay: " + describe(e));
    }
    run::notify_ready();
    return fresh;
  };
  run::run_team({.names = names_of(context.settings, count),
                 .launch = [&](const std::string& name) { return launch_of(context, current, name); },
                 .once = settings.once,
                 .ready = run::notify_ready,
                 .alive = run::notify_alive,
                 .restart_all = restart},
                context.stop);
  run::notify_stopping();
  return 0;
}

}  // namespace

int consumer_coop(Context& context) {
  consumer::Settings settings = consumer::read_settings(context.settings, source_conninfo(context, context.settings));
  consumer::Action action = consumer::read_action(context.settings);
  if (action.exec.empty() && action.sql.statement.empty())
    throw UsageError("what shall be done with the events? --exec or --sql");
  std::int64_t workers = context.settings.integer("workers");
  if (workers < 0 || workers > 1000) throw UsageError("workers must be 1 to 1000");
  if (settings.reader.subconsumer.find('.') != std::string::npos)
    throw UsageError("the name of a subconsumer must not contain a dot");
  if (workers > 0) {
    if (settings.reader.subconsumer.empty()) settings.reader.subconsumer = names_of(context.settings, 1)[0];
    return context.dry_run ? run_loop(context, settings, *make_sink(action, settings, context))
                           : run_workers(context, settings, workers);
  }
  if (settings.reader.subconsumer.empty()) throw UsageError("which member of the group? --subconsumer or --workers");
  auto sink = make_sink(action, settings, context);
  return run_loop(context, settings, *sink);
}

}  // namespace skytools::cmd
