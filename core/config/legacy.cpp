#include "core/config/legacy.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/ini.h"

namespace skytools::config {

namespace {

/// One key of an original program. `ours` empty: known there, without effect here.
struct LegacyKey {
  std::string_view name, ours;
  enum class Kind { plain, path, stop_when_idle } kind = Kind::plain;
};
using Kind = LegacyKey::Kind;

/// Keys every script of the original understood.
constexpr LegacyKey kCommonKeys[] = {
    {"job_name", "job"},
    {"logfile", "log.file", Kind::path},
    {"pidfile", "pid_file", Kind::path},
    {"connection_lifetime", "connection_lifetime"},
    {"loop_delay", "loop_delay", Kind::stop_when_idle},
    {"exception_sleep", "exception_sleep"},
    {"exception_quiet", ""},
    {"exception_grace", ""},
    {"exception_reset", ""},
    {"sql_retry", ""},
    {"use_skylog", ""},
    {"skylog_locations", ""},
    {"log_size", ""},
    {"log_count", ""},
    {"logfmt_file", ""},
    {"logdatefmt_file", ""},
    {"logfmt_console", ""},
    {"logdatefmt_console", ""},
    {"logfmt_file_verbose", ""},
    {"logdatefmt_file_verbose", ""},
    {"logfmt_console_verbose", ""},
    {"logdatefmt_console_verbose", ""},
    {"config_format", ""},
};

constexpr LegacyKey kLondisteKeys[] = {
    {"db", "db"},
    {"queue_name", "queue"},
    {"pgq_queue_name", "queue"},
    {"consumer_name", "job"},
    {"pgq_consumer_id", "job"},
    {"remote_extra_connstr", "remote_extra_connstr"},
    {"pgq_lazy_fetch", "pgq.lazy_fetch"},
    {"pgq_autocommit", ""},
    {"pgq_batch_collect_events", "pgq.min_count"},
    {"pgq_batch_collect_interval", "pgq.min_interval"},
    {"pgq_keep_lag", "pgq.keep_lag"},
    {"table_filter", ""},
    {"keepalive_stats", "stats_interval"},
    {"global_wm_publish_period", "global_wm_publish_period"},
    {"local_wm_publish_period", "local_wm_publish_period"},
    {"node_name", "node_name"},
    {"public_node_location", "public_node_location"},
    {"initial_provider_location", "provider"},
    {"parallel_copies", "copy.parallel"},
    {"threaded_copy_tables", ""},
    {"threaded_copy_pool_size", ""},
    {"local_only", "local_only"},
    {"local_only_drop_execute", "local_only_drop_execute"},
    {"register_only_tables", "register_only_tables"},
    {"register_only_seqs", "register_only_seqs"},
    {"register_skip_tables", "register_skip_tables"},
    {"register_skip_seqs", "register_skip_seqs"},
    {"lock_timeout", "lock_timeout"},
    {"compare_sql", "compare_sql"},
    {"compare_fmt", "compare_fmt"},
    {"handler_modules", ""},
    {"shard_hash_func", ""},
    {"shard_info_sql", ""},
    {"obfuscator_map", ""},
    {"obfuscator_key", ""},
};

/// The consumers: simple_consumer3, simple_local_consumer3, queue_mover3, queue_splitter3 and scripts of one's own.
constexpr LegacyKey kConsumerKeys[] = {
    {"db", "db"},
    {"src_db", "db"},
    {"dst_db", "target"},
    {"queue_name", "queue"},
    {"pgq_queue_name", "queue"},
    {"consumer_name", "consumer"},
    {"pgq_consumer_id", "consumer"},
    {"table_filter", "table_filter"},
    {"consumer_filter", ""},
    {"dst_query", ""},
    {"pgq_lazy_fetch", ""},
    {"pgq_autocommit", ""},
    {"pgq_batch_collect_events", "min_count"},
    {"pgq_batch_collect_interval", "min_interval"},
    {"pgq_keep_lag", "keep_lag"},
    {"keepalive_stats", "stats_interval"},
    {"subconsumer_name", "subconsumer"},
    {"subconsumer_timeout", "subconsumer_timeout"},
    {"local_tracking_file", "tracking_file", Kind::path},
};

constexpr LegacyKey kBridgeKeys[] = {
    {"src_db", "from"},
    {"dst_db", "to"},
    {"dst_queue_name", "to_queue"},
    {"queue_field", "field"},
    {"queue_name", "queue"},
    {"pgq_queue_name", "queue"},
    {"consumer_name", "consumer"},
    {"pgq_consumer_id", "consumer"},
    {"table_filter", "table_filter"},
    {"pgq_lazy_fetch", ""},
    {"pgq_autocommit", ""},
    {"pgq_batch_collect_events", "min_count"},
    {"pgq_batch_collect_interval", "min_interval"},
    {"pgq_keep_lag", "keep_lag"},
    {"keepalive_stats", "stats_interval"},
};

constexpr LegacyKey kTickerKeys[] = {
    {"logfile", "log.file", Kind::path},
    {"pidfile", "pid_file", Kind::path},
    {"base_connstr", "base_connstr"},
    {"initial_database", "initial_database"},
    {"database_list", "database_list"},
    {"syslog", ""},
    {"syslog_ident", ""},
    {"syslog_facility", ""},
    {"check_period", "check_period"},
    {"retry_period", "retry_period"},
    {"maint_period", "maint_period"},
    {"ticker_period", "ticker_period"},
    {"stats_period", "stats_period"},
    {"connection_lifetime", "connection_lifetime"},
};

/// A program of the original: its section and the job type that took its place.
struct Service {
  std::string_view section, type;
  std::span<const LegacyKey> keys;
  bool common;  ///< takes the common keys, [DEFAULT] and references too
};
constexpr std::array kServices = {
    Service{"londiste", "londiste", kLondisteKeys, true},
    Service{"pgqd", "ticker", kTickerKeys, false},
    Service{"simple_consumer3", "consumer", kConsumerKeys, true},
    Service{"simple_consumer", "consumer", kConsumerKeys, true},
    Service{"simple_local_consumer3", "consumer_local", kConsumerKeys, true},
    Service{"simple_local_consumer", "consumer_local", kConsumerKeys, true},
    Service{"coop_consumer", "consumer_coop", kConsumerKeys, true},
    Service{"queue_mover3", "consumer_move", kBridgeKeys, true},
    Service{"queue_mover", "consumer_move", kBridgeKeys, true},
    Service{"queue_splitter3", "consumer_split", kBridgeKeys, true},
    Service{"queue_splitter", "consumer_split", kBridgeKeys, true},
};

const LegacyKey* find_legacy(const Service& service, std::string_view name) {
  for (auto& key : service.keys)
    if (key.name == name) return &key;
  if (service.common)
    for (auto& key : kCommonKeys)
      if (key.name == name) return &key;
  return nullptr;
}

std::string expand_home(const std::string& path) {
  const char* home = std::getenv("HOME");
  return home && (path == "~" || path.starts_with("~/")) ? home + path.substr(1) : path;
}

/// What values may refer to besides the keys themselves.
IniNames predefined(const std::string& path, std::string_view service) {
  std::filesystem::path file = std::filesystem::absolute(path);
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return {{"job_name", file.stem()},
          {"service_name", std::string(service)},
          {"host_name", host},
          {"config_dir", file.parent_path()},
          {"config_file", file}};
}

class Importer {
 public:
  Importer(const Ini& ini, const Service& service, const Ini::Section& section, const JobTypes& types)
      : ini_(ini), service_(service), section_(section), tables_(tables_of(types, service.type)) {
    if (const Ini::Section* shared = service.common ? ini.find("DEFAULT") : nullptr) entries_ = shared->entries;
    for (auto& [name, entry] : section.entries) entries_[name] = entry;
    if (service.common) read_names();
  }

  JobFile import() {
    file_.path = ini_.path;
    job_.type = service_.type;
    for (auto& [name, entry] : entries_) import_key(name, entry);
    // The daemon of the original looked for its databases unless it was given a list.
    if (service_.type == "ticker" && !job_.values.contains("database_list"))
      job_.values["discover"] = {{"true"}, place(section_.line)};
    file_.jobs.push_back(std::move(job_));
    return std::move(file_);
  }

 private:
  std::string place(int line) const { return ini_.path + ":" + std::to_string(line); }

  void read_names() {
    names_ = predefined(ini_.path, service_.section);
    for (auto& section : ini_.sections)
      for (auto& [name, entry] : section.entries) names_[section.name + ":" + name] = entry.value;
    for (auto& [name, entry] : entries_) names_[name] = entry.value;
  }

  std::string value(const Ini::Entry& entry) const {
    if (!service_.common) return entry.value;
    auto format = entries_.find("config_format");
    bool dollar = format != entries_.end() && format->second.value == "2";
    try {
      return dollar ? interpolate_dollar(entry.value, names_) : interpolate_percent(entry.value, names_);
    } catch (const UsageError& e) {
      throw UsageError(place(entry.line) + ": " + e.what());
    }
  }

  void import_key(const std::string& name, const Ini::Entry& entry) {
    const LegacyKey* key = find_legacy(service_, name);
    if (!key) {
      // A key of [DEFAULT] may exist only to be referred to.
      if (!section_.entries.contains(name)) return;
      throw UsageError(place(entry.line) + ": " + unknown_key(name, known_names()));
    }
    std::string text = value(entry);
    if (key->kind == Kind::path) text = expand_home(text);
    if (key->kind == Kind::stop_when_idle && std::strtod(text.c_str(), nullptr) <= 0) {
      job_.values["once"] = {{"true"}, place(entry.line)};
      return;
    }
    const Option* option = key->ours.empty() ? nullptr : find_key(tables_, key->ours);
    if (!option) {
      if (name != "config_format") file_.warnings.push_back(place(entry.line) + ": '" + name + "' has no effect here");
      return;
    }
    // The older spellings of queue and consumer win over the newer ones, and both over the job's name.
    bool strong = name.starts_with("pgq_") || (name == "consumer_name" && !entries_.contains("pgq_consumer_id"));
    if (job_.values.contains(key->ours) && !strong) return;
    job_.values[std::string(key->ours)] = {option->type == Type::list ? split(text, ',') : std::vector{text},
                                           place(entry.line)};
  }

  std::vector<std::string> known_names() const {
    std::vector<std::string> names;
    for (auto& key : service_.keys) names.emplace_back(key.name);
    if (service_.common)
      for (auto& key : kCommonKeys) names.emplace_back(key.name);
    return names;
  }

  const Ini& ini_;
  const Service& service_;
  const Ini::Section& section_;
  std::vector<Options> tables_;
  std::map<std::string, Ini::Entry, std::less<>> entries_;
  IniNames names_;
  JobFile file_;
  Job job_;
};

}  // namespace

JobFile parse_legacy(const std::string& text, const std::string& path, const JobTypes& types) {
  Ini ini = Ini::parse(text, path);
  for (const Service& service : kServices) {
    const Ini::Section* section = ini.find(service.section);
    if (!section) continue;
    if (!service.common && ini.sections.size() > 1)
      throw UsageError(path + ":" + std::to_string(ini.sections.back().line) + ": section [" +
                       ini.sections.back().name + "] does not belong into a file of " + std::string(service.section));
    return Importer(ini, service, *section, types).import();
  }
  std::string known;
  for (auto& service : kServices) known += (known.empty() ? "[" : ", [") + std::string(service.section) + "]";
  throw UsageError(path + ": no section of a known service: " + known);
}

}  // namespace skytools::config
