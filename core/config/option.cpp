#include "core/config/option.h"

#include "core/base/strings.h"

namespace skytools::config {

namespace {

constexpr Option kGlobalTable[] = {
    {.key = "config",
     .help = "job file: YAML, or an .ini file of the original programs",
     .value = "FILE",
     .letter = 'c',
     .environment = "SKYTOOLS_CONFIG",
     .where = Where::flag},
    {.key = "db",
     .help = "local database: libpq keywords, a URI, service=…, or a name of the file's connections",
     .value = "CONNINFO",
     .connection = true},
    {.key = "queue", .help = "queue (Londiste: set) to work on", .value = "NAME", .letter = 'Q'},
    {.key = "job", .help = "job of the file; also the name of the consumer or worker", .value = "NAME", .letter = 'J'},
    {.key = "set",
     .type = Type::list,
     .help = "override one key of the job, repeatable",
     .value = "KEY=VALUE",
     .where = Where::flag},
    {.key = "json", .type = Type::boolean, .help = "one JSON document on stdout, errors too", .where = Where::flag},
    {.key = "quiet",
     .type = Type::count,
     .help = "errors only; -qq: nothing at all, the exit code tells",
     .letter = 'q',
     .where = Where::flag},
    {.key = "verbose",
     .type = Type::count,
     .help = "debug messages; -vv: every statement too",
     .letter = 'v',
     .where = Where::flag},
    {.key = "log.format",
     .fallback = "text",
     .help = "form of the log lines",
     .value = "FORMAT",
     .choices = "text|logfmt|json",
     .when = When::reload},
    {.key = "log.file",
     .help = "file the log is appended to, instead of stderr",
     .value = "FILE",
     .when = When::reload},
    {.key = "log.level",
     .fallback = "info",
     .help = "least level that is logged",
     .value = "LEVEL",
     .choices = "trace|debug|info|warning|error|none",
     .when = When::reload},
    {.key = "dry_run",
     .type = Type::boolean,
     .help = "print the steps and the SQL, change nothing",
     .where = Where::flag},
    {.key = "yes",
     .type = Type::boolean,
     .help = "do not ask before a step that destroys or changes roles",
     .letter = 'y',
     .where = Where::flag},
    {.key = "timeout",
     .type = Type::duration,
     .help = "longest wait of commands that wait; a bare number is seconds",
     .where = Where::flag},
    {.key = "version", .type = Type::boolean, .help = "print the version", .letter = 'V', .where = Where::flag},
    {.key = "help", .type = Type::boolean, .help = "explain the command", .letter = 'h', .where = Where::flag},
};

constexpr Option kDaemonTable[] = {
    {.key = "daemon",
     .type = Type::boolean,
     .help = "go to the background; needs --pid-file",
     .letter = 'd',
     .where = Where::flag},
    {.key = "pid_file", .help = "file that holds the process number and is locked while running", .value = "FILE"},
    {.key = "stop",
     .type = Type::boolean,
     .help = "let the running one finish its batch and end",
     .where = Where::flag},
    {.key = "kill", .type = Type::boolean, .help = "end the running one now, rolling back", .where = Where::flag},
    {.key = "reload", .type = Type::boolean, .help = "make the running one read its files again", .where = Where::flag},
    {.key = "once", .type = Type::boolean, .help = "work off what is there, then exit", .where = Where::flag},
};

}  // namespace

constinit const Options kGlobalOptions = kGlobalTable;
constinit const Options kDaemonOptions = kDaemonTable;

std::string flag_name(const Option& option) {
  std::string name(option.flag.empty() ? option.key : option.flag);
  if (option.flag.empty())
    for (char& c : name)
      if (c == '.' || c == '_') c = '-';
  return name;
}

std::string environment_name(const Option& option) {
  if (!option.environment.empty()) return std::string(option.environment);
  std::string name = "SKYTOOLS_";
  for (char c : option.key) name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

bool takes_value(const Option& option) { return option.type != Type::boolean && option.type != Type::count; }

std::string value_name(const Option& option) {
  if (!takes_value(option)) return {};
  if (!option.value.empty()) return std::string(option.value);
  if (!option.choices.empty()) return std::string(option.choices);
  switch (option.type) {
    case Type::integer:
      return "N";
    case Type::duration:
      return "DURATION";
    case Type::size:
      return "SIZE";
    default:
      return "TEXT";
  }
}

const Option* find_key(std::span<const Options> tables, std::string_view key) {
  for (Options table : tables)
    for (const Option& option : table)
      if (option.key == key) return &option;
  return nullptr;
}

std::vector<std::string> keys_for_files(std::span<const Options> tables) {
  std::vector<std::string> keys;
  for (Options table : tables)
    for (const Option& option : table)
      if (option.where == Where::everywhere) keys.emplace_back(option.key);
  return keys;
}

}  // namespace skytools::config
