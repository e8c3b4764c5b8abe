#pragma once
#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The program's log: one line per event, a message and `key=value` fields. Thread-safe. Never writes to stdout.
namespace skytools::log {

enum class Level { trace, debug, info, warning, error, none };
enum class Format { text, logfmt, json };

/// One `key=value` of a line. Values are UTF-8; other bytes are kept in text and replaced in JSON.
struct Field {
  std::string key, value;
  Field(std::string k, std::string v) : key(std::move(k)), value(std::move(v)) {}
  template <std::integral T>
  Field(std::string k, T v) : key(std::move(k)), value(std::to_string(v)), number(true) {}
  bool number = false;  ///< a JSON number instead of a string
};
using Fields = std::vector<Field>;

struct Settings {
  Format format = Format::text;
  Level least = Level::info;
  std::string file = {};  ///< appended to; empty: stderr
};

/// Replaces where and how lines are written. Before the first call warnings and errors go to stderr as text.
/// @throws Error  when the file cannot be opened; the old sink stays
void init(const Settings& settings);

/// Opens the log file again under its name (after log rotation). @throws Error  as init
void reopen();

/// Would a line of this level be written? For callers whose fields are costly to make.
bool enabled(Level level);

void trace(std::string_view message, Fields fields = {});
void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

}  // namespace skytools::log
