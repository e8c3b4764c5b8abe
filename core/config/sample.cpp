#include "core/config/sample.h"

#include <set>

#include "core/base/strings.h"

namespace skytools::config {

namespace {

constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";

/// A YAML scalar: plain when it is one harmless word, else in double quotes.
std::string scalar(std::string_view text) {
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + '"';
}

std::string sequence(const std::vector<std::string>& items) {
  std::vector<std::string> quoted;
  for (auto& item : items) quoted.push_back(scalar(item));
  return "[" + join(quoted, ", ") + "]";
}

void add_key(std::string& out, const Option& option) {
  out += "\n# " + std::string(option.help);
  if (!option.choices.empty()) out += " (" + std::string(option.choices) + ")";
  if (option.when == When::reload) out += "; SIGHUP may change it";
  std::string value = option.type == Type::list                                 ? sequence(split(option.fallback, ','))
                      : option.type == Type::boolean && option.fallback.empty() ? "false"
                      : option.fallback.empty()                                 ? ""
                                                                                : scalar(option.fallback);
  out += "\n#" + std::string(option.key) + ":" + (value.empty() ? "" : " " + value) + "\n";
}

}  // namespace

std::string sample(const JobType& type, std::string_view help) {
  std::string out = "# " + std::string(type.name) + ": " + std::string(help) + "\n";
  out +=
      "# Lines that begin with #key show the built-in value. Durations and sizes take units: 250ms, 1.5s, 2h; 64kB, "
      "1GB.\n";
  out += "# A key with a dot may be written as a section, too: `log: { level: debug }`.\n";
  out +=
      "# Several jobs in one file, each with a `type:`, go below `jobs:`; what they share goes below `defaults:`.\n\n";
  out += "type: " + std::string(type.name) + "\n\n";
  out += "# names for connection strings, to be used wherever a connection is asked for\n";
  out += "#connections: { shop: \"host=db1 dbname=shop\" }\n";
  std::set<std::string_view> seen;
  for (Options table : {type.options, kDaemonOptions, kGlobalOptions})
    for (const Option& option : table)
      if (option.where == Where::everywhere && seen.insert(option.key).second) add_key(out, option);
  return out;
}

std::string to_yaml(const Job& job) {
  std::string out = job.type.empty() ? "" : "type: " + scalar(job.type) + "\n";
  for (auto& [key, value] : job.values)
    out += key + ": " + (value.items.size() == 1 ? scalar(value.items[0]) : sequence(value.items)) + "\n";
  return out;
}

}  // namespace skytools::config
