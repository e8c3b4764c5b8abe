#include "cmd/config.h"

#include <ostream>

#include "cmd/context.h"
#include "cmd/root.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/load.h"
#include "core/config/sample.h"
#include "core/log/log.h"

namespace skytools::cmd {

namespace {

int run_sample(Context& context) {
  if (context.args.empty()) {
    std::vector<std::string> names;
    for (auto& type : job_types()) names.emplace_back(type.name);
    throw UsageError("which type? there are " + join(names, ", "));
  }
  const std::string& type = context.args[0];
  config::tables_of(job_types(), type);  // refuses an unknown type
  const Command& command = *command_of_job(type);
  context.out << config::sample({type, command.options}, command.help);
  return 0;
}

int run_show(Context& context) {
  ui::Table table({"Key", "Value", "Origin"});
  for (auto& row : context.settings.show())
    if (row.option->where == config::Where::everywhere)
      table.add({row.option->key, row.value.empty() ? ui::Cell() : ui::Cell(row.value), row.origin});
  context.print(table);
  return 0;
}

/// The file of -c, $SKYTOOLS_CONFIG, or the argument.
config::JobFile read_named_file(const Context& context) {
  std::string path = context.args.empty() ? context.settings.text("config") : context.args[0];
  if (path.empty()) throw UsageError("which file? name it, or use --config (-c)");
  return config::read_job_file(path, job_types());
}

int run_check(Context& context) {
  config::JobFile file = read_named_file(context);
  for (auto& warning : file.warnings) log::warning(warning);
  config::Layer flags = {{"config", {{file.path}, "flag --config"}}};
  ui::Table table({"Job", "Type", "Settings"});
  for (auto& job : file.jobs) {
    if (!job.name.empty()) flags["job"] = {{job.name}, "flag --job"};
    auto loaded =
        config::load({.tables = config::tables_of(job_types(), job.type), .flags = flags, .types = job_types()});
    table.add({loaded.settings.text("job"), job.type.empty() ? ui::Cell() : ui::Cell(job.type), job.values.size()});
  }
  context.print(table);
  return 0;
}

int run_convert(Context& context) {
  config::JobFile file = read_named_file(context);
  for (auto& warning : file.warnings) log::warning(warning);
  for (auto& job : file.jobs) context.out << config::to_yaml(job);
  return 0;
}

constexpr Command kChildren[] = {
    {.name = "sample",
     .synopsis = "TYPE",
     .help = "print a commented file for a job type",
     .run = run_sample,
     .details =
         "Without TYPE: tells which there are.\n\nExample:\n  skytools config sample ticker > /etc/skytools/shop.yaml",
     .max_args = 1,
     .reads_file = false},
    {.name = "show",
     .help = "print every setting of a job with its origin, passwords masked",
     .run = run_show,
     .details = "Example:\n  skytools config show -c /etc/skytools/shop.yaml -J shop_ticker"},
    {.name = "check",
     .synopsis = "[FILE]",
     .help = "check every job of a file",
     .run = run_check,
     .max_args = 1,
     .reads_file = false},
    {.name = "convert",
     .synopsis = "[FILE]",
     .help = "print a job file of the original programs as YAML",
     .run = run_convert,
     .details = "Passwords are kept: the output is a file to run.\n\nExample:\n  skytools config convert londiste.ini "
                "> shop.yaml",
     .max_args = 1,
     .reads_file = false},
};

}  // namespace

constinit const Command kConfigCommand{
    .name = "config", .help = "job files: samples, checks, where a value comes from", .children = kChildren};

}  // namespace skytools::cmd
