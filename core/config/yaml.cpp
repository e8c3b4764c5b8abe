#include <yaml-cpp/yaml.h>

#include <set>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/file.h"

// yaml-cpp keeps duplicate keys silently and its errors name no key, so the document is walked once into our own maps.

namespace skytools::config {

namespace {

class Reader {
 public:
  Reader(const std::string& path, const JobTypes& types) : types_(types) { file_.path = path; }

  JobFile read(const YAML::Node& root) {
    if (!root.IsNull()) {
      need_map(root, "the file");
      bool several = has_key(root, "jobs");
      for (auto& [key, key_node, value] : members(root)) {
        if (key == "connections")
          read_connections(value);
        else if (key == "defaults")
          walk(value, "", tables_of(types_, ""), file_.defaults);
        else if (key == "jobs")
          read_jobs(value);
        else if (several && key == "log")
          walk(value, "log", tables_of(types_, ""), file_.defaults);
        else if (several)
          fail(key_node, unknown_key(key, {"connections", "log", "defaults", "jobs"}) +
                             " (beside jobs: a setting belongs into a job or into defaults:)");
      }
      if (!several) file_.jobs.push_back(read_job("", root));
    }
    return std::move(file_);
  }

 private:
  struct Member {
    std::string key;
    YAML::Node key_node, value;
  };

  [[noreturn]] void fail(const YAML::Node& node, const std::string& text) const {
    throw UsageError(place(node) + ": " + text);
  }
  std::string place(const YAML::Node& node) const { return file_.path + ":" + std::to_string(node.Mark().line + 1); }

  void need_map(const YAML::Node& node, const std::string& what) const {
    if (!node.IsMap()) fail(node, what + " must hold `key: value` pairs");
  }

  static bool has_key(const YAML::Node& map, const std::string& key) {
    for (auto member : map)
      if (member.first.IsScalar() && member.first.Scalar() == key) return true;
    return false;
  }

  /// The pairs of a map; duplicate keys and keys that are no words are errors.
  std::vector<Member> members(const YAML::Node& map) const {
    std::vector<Member> out;
    std::set<std::string> seen;
    for (auto member : map) {
      if (!member.first.IsScalar()) fail(member.first, "a key must be one word");
      std::string key = member.first.Scalar();
      if (!seen.insert(key).second) fail(member.first, "duplicate key '" + key + "'");
      out.push_back({key, member.first, member.second});
    }
    return out;
  }

  void read_connections(const YAML::Node& node) {
    if (node.IsNull()) return;
    need_map(node, "connections:");
    for (auto& [name, key_node, value] : members(node)) {
      if (!value.IsScalar()) fail(key_node, "connection '" + name + "' must be a connection string");
      file_.connections[name] = value.Scalar();
    }
  }

  void read_jobs(const YAML::Node& node) {
    if (node.IsNull()) return;
    need_map(node, "jobs:");
    for (auto& [name, key_node, value] : members(node)) {
      need_map(value, "job '" + name + "'");
      file_.jobs.push_back(read_job(name, value));
    }
  }

  Job read_job(const std::string& name, const YAML::Node& map) {
    Job job{name, {}, {}};
    for (auto& [key, key_node, value] : members(map)) {
      if (key != "type") continue;
      if (!value.IsScalar()) fail(key_node, "type must be a single value");
      job.type = value.Scalar();
    }
    std::vector<Options> tables;
    try {
      tables = tables_of(types_, job.type);
    } catch (const UsageError& e) {
      fail(map["type"], e.what());
    }
    // At the top level of a file with one job the other sections stand beside the keys.
    std::set<std::string> skip = {"type"};
    if (name.empty()) skip.insert({"connections", "defaults"});
    walk(map, "", tables, job.values, skip);
    return job;
  }

  /// Puts the values below `map` into the layer under their full keys.
  void walk(const YAML::Node& map, const std::string& prefix, const std::vector<Options>& tables, Layer& out,
            const std::set<std::string>& skip = {}) const {
    if (map.IsNull()) return;
    need_map(map, prefix.empty() ? "this section" : prefix + ":");
    for (auto& [key, key_node, value] : members(map)) {
      if (skip.contains(key)) continue;
      std::string path = prefix.empty() ? key : prefix + "." + key;
      const Option* option = find_key(tables, path);
      bool known = option && option->where == Where::everywhere;
      if (!known && value.IsMap() && value.size() > 0)
        walk(value, path, tables, out);
      else if (!known)
        fail(key_node, unknown_key(path, keys_for_files(tables)));
      else if (!out.emplace(path, Value{items(*option, value), place(key_node)}).second)
        fail(key_node, "duplicate key '" + path + "'");
    }
  }

  std::vector<std::string> items(const Option& option, const YAML::Node& value) const {
    std::string key(option.key);
    if (value.IsNull()) return {};
    if (option.type == Type::list && value.IsSequence()) {
      std::vector<std::string> out;
      for (auto item : value) {
        if (!item.IsScalar()) fail(item, key + " must be a list of single values");
        out.push_back(item.Scalar());
      }
      return out;
    }
    if (!value.IsScalar()) fail(value, key + " must be a " + (option.type == Type::list ? "list" : "single value"));
    return option.type == Type::list ? split(value.Scalar(), ',') : std::vector{value.Scalar()};
  }

  const JobTypes& types_;
  JobFile file_;
};

}  // namespace

JobFile parse_yaml(const std::string& text, const std::string& path, const JobTypes& types) {
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(text);
  } catch (const YAML::Exception& e) {
    throw UsageError(path + ":" + std::to_string(e.mark.line + 1) + ": " + e.msg);
  }
  if (documents.size() > 1) throw UsageError(path + ": holds more than one document");
  return Reader(path, types).read(documents.empty() ? YAML::Node() : documents[0]);
}

}  // namespace skytools::config
