#include "core/log/log.h"

#include <array>
#include <atomic>
#include <boost/core/null_deleter.hpp>
#include <boost/log/attributes/constant.hpp>
#include <boost/log/core.hpp>
#include <boost/log/expressions.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/sinks/text_ostream_backend.hpp>
#include <boost/log/sources/logger.hpp>
#include <boost/log/sources/record_ostream.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <mutex>

#include "core/base/error.h"
#include "core/log/encode.h"

// The only file that sees Boost.Log. A line is encoded before the record is made, so under the lock of the sink only
// bytes are written.

namespace skytools::log {

namespace {

namespace bl = boost::log;
using Backend = bl::sinks::text_ostream_backend;
using Sink = bl::sinks::synchronous_sink<Backend>;

constexpr std::array kLevelNames = {"trace", "debug", "info", "warning", "error", "none"};

/// 2026-11-22 08:51:30.919 in local time, or 2026-11-22T08:51:30.919Z.
std::string now(bool utc) {
  auto time = std::chrono::system_clock::now();
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts);
  char date[32], out[48];
  std::strftime(date, sizeof date, utc ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts);
  std::snprintf(out, sizeof out, "%s.%03d%s", date, static_cast<int>(ms), utc ? "Z" : "");
  return out;
}

std::string text_line(Level level, std::string_view message, const Fields& fields) {
  std::string line = now(false) + ' ' + kLevelNames[static_cast<std::size_t>(level)];
  line.append(level == Level::info ? 2 : 1, ' ');  // info and the five-letter levels line up
  line += escape_control(message);
  for (auto& field : fields) line += ' ' + field.key + '=' + quote_if_needed(field.value);
  return line;
}

std::string logfmt_line(Level level, std::string_view message, const Fields& fields) {
  std::string line = "ts=" + now(true) + " level=" + kLevelNames[static_cast<std::size_t>(level)];
  line += " msg=" + quote_if_needed(message);
  for (auto& field : fields) line += ' ' + field.key + '=' + quote_if_needed(field.value);
  return line;
}

std::string json_line(Level level, std::string_view message, const Fields& fields) {
  std::string line = "{\"ts\":\"" + now(true) + "\",\"level\":\"" + kLevelNames[static_cast<std::size_t>(level)] + '"';
  line += ",\"msg\":" + json_quote(message);
  for (auto& field : fields)
    line += ',' + json_quote(field.key) + ':' + (field.number ? field.value : json_quote(field.value));
  return line + '}';
}

struct State {
  std::mutex mutex;  ///< guards sink and settings
  boost::shared_ptr<Sink> sink;
  Settings settings;
  std::atomic<Level> least = Level::warning;
  std::atomic<Format> format = Format::text;
};

State& state() {
  static State s;
  return s;
}

boost::shared_ptr<std::ostream> open_stream(const std::string& file) {
  if (file.empty()) return {&std::cerr, boost::null_deleter()};
  auto stream = boost::make_shared<std::ofstream>(file, std::ios::app);
  if (!*stream) throw Error("cannot open log file '" + file + "': " + std::strerror(errno));
  return stream;
}

void install(State& s, const Settings& settings) {
  auto backend = boost::make_shared<Backend>();
  backend->add_stream(open_stream(settings.file));
  backend->auto_flush(true);
  auto sink = boost::make_shared<Sink>(backend);
  sink->set_formatter(bl::expressions::stream << bl::expressions::smessage);
  bl::core::get()->add_sink(sink);
  if (s.sink) bl::core::get()->remove_sink(s.sink);
  s.sink = sink;
  s.settings = settings;
  s.least = settings.least;
  s.format = settings.format;
}

void write(Level level, std::string_view message, const Fields& fields) {
  if (!enabled(level)) return;
  State& s = state();
  {
    std::lock_guard lock(s.mutex);
    if (!s.sink) install(s, {.least = Level::warning});
  }
  Format format = s.format;
  std::string line = format == Format::json     ? json_line(level, message, fields)
                     : format == Format::logfmt ? logfmt_line(level, message, fields)
                                                : text_line(level, message, fields);
  static bl::sources::logger_mt logger;
  if (bl::record record = logger.open_record()) {
    bl::record_ostream out(record);
    out << line;
    out.flush();
    logger.push_record(std::move(record));
  }
}

}  // namespace

void init(const Settings& settings) {
  State& s = state();
  std::lock_guard lock(s.mutex);
  install(s, settings);
}

void reopen() {
  State& s = state();
  std::lock_guard lock(s.mutex);
  if (s.sink && !s.settings.file.empty()) install(s, Settings(s.settings));
}

bool enabled(Level level) { return level >= state().least && level < Level::none; }

void trace(std::string_view message, Fields fields) { write(Level::trace, message, fields); }
void debug(std::string_view message, Fields fields) { write(Level::debug, message, fields); }
void info(std::string_view message, Fields fields) { write(Level::info, message, fields); }
void warning(std::string_view message, Fields fields) { write(Level::warning, message, fields); }
void error(std::string_view message, Fields fields) { write(Level::error, message, fields); }

}  // namespace skytools::log
