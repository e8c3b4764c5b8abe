#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace skytools::config {

/// list: a repeated flag, a YAML sequence, or text split at commas. count: a flag that counts itself (-vv).
enum class Type { text, integer, duration, size, boolean, list, count };
enum class When { start, reload };      ///< reload: SIGHUP may change it
enum class Where { everywhere, flag };  ///< flag: only on the command line, never in a file

/// One setting, declared once. Flag, environment name, YAML key, sample file, man page and completion are derived from
/// it.
struct Option {
  std::string_view key;  ///< "apply.max_rows" → --apply-max-rows, SKYTOOLS_APPLY_MAX_ROWS, `apply: { max_rows: … }`
  Type type = Type::text;
  std::string_view fallback = {};     ///< built-in value, written as a user would
  std::string_view help = {};         ///< one line, lower case; says the unit of bare numbers
  std::string_view value = {};        ///< name of the value in the help: "FILE"; derived from the type when empty
  char letter = 0;                    ///< short flag
  std::string_view flag = {};         ///< long flag without dashes, when it isn't derived from the key
  std::string_view environment = {};  ///< variable, when it isn't derived from the key
  std::string_view choices = {};      ///< the allowed values, separated by `|`
  When when = When::start;
  Where where = Where::everywhere;
  bool connection = false;  ///< the value may be a name of the file's `connections:`
  bool secret = false;      ///< masked wherever settings are shown
};
using Options = std::span<const Option>;

std::string flag_name(const Option& option);         ///< "apply-max-rows"
std::string environment_name(const Option& option);  ///< "SKYTOOLS_APPLY_MAX_ROWS"
std::string value_name(const Option& option);        ///< "N", "DURATION", …; empty when the flag takes no value
bool takes_value(const Option& option);

/// The option of that key in the first table that has it, or null: earlier tables shadow later ones.
const Option* find_key(std::span<const Options> tables, std::string_view key);

/// Several option tables as one.
template <std::size_t... N>
consteval auto joined(const Option (&... tables)[N]) {
  std::array<Option, (N + ...)> out{};
  std::size_t at = 0;
  auto append = [&](const auto& table) {
    for (auto& option : table) out[at++] = option;
  };
  (append(tables), ...);
  return out;
}

/// Keys that may stand in a file.
std::vector<std::string> keys_for_files(std::span<const Options> tables);

/// Options of every command (cli.md §1) and of every daemon command.
extern const Options kGlobalOptions;
extern const Options kDaemonOptions;

}  // namespace skytools::config
