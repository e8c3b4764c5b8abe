#include "core/config/file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/legacy.h"

namespace skytools::config {

namespace {

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  bool is_folder = std::filesystem::is_directory(path);
  if (!in.is_open() || is_folder || in.bad())
    throw UsageError("cannot read '" + path + "': " + (is_folder ? "is a directory" : std::strerror(errno)));
  return text.str();
}

std::vector<std::string> names_of(const std::vector<Job>& jobs) {
  std::vector<std::string> names;
  for (auto& job : jobs) names.push_back(job.name);
  return names;
}

}  // namespace

const Job* JobFile::pick(const std::string& name, std::string_view wanted_type) const {
  auto fits = [&](const Job& job) { return wanted_type.empty() || job.type.empty() || job.type == wanted_type; };
  if (!name.empty() && !(jobs.size() == 1 && jobs[0].name.empty())) {
    auto job = std::find_if(jobs.begin(), jobs.end(), [&](auto& j) { return j.name == name; });
    if (job == jobs.end()) {
      std::string near = closest(name, names_of(jobs));
      throw UsageError(path + ": no job '" + name + "'; " +
                       (near.empty() ? "jobs: " + join(names_of(jobs), ", ") : "did you mean '" + near + "'?"));
    }
    if (!fits(*job))
      throw UsageError(path + ": job '" + name + "' is of type " + job->type + ", this command runs type " +
                       std::string(wanted_type));
    return &*job;
  }
  std::vector<const Job*> fitting;
  for (auto& job : jobs)
    if (fits(job)) fitting.push_back(&job);
  if (fitting.size() == 1) return fitting[0];
  if (fitting.empty() && !jobs.empty())
    throw UsageError(path + ": no job of type " + std::string(wanted_type) + "; jobs: " + join(names_of(jobs), ", "));
  if (fitting.size() > 1) throw UsageError(path + ": several jobs, pick one with -J: " + join(names_of(jobs), ", "));
  return nullptr;
}

JobFile read_job_file(const std::string& path, const JobTypes& types) {
  std::string text = read_text(path);
  return path.ends_with(".ini") ? parse_legacy(text, path, types) : parse_yaml(text, path, types);
}

std::vector<Options> tables_of(const JobTypes& types, std::string_view type) {
  std::vector<Options> tables;
  std::vector<std::string> names;
  for (auto& candidate : types) {
    names.emplace_back(candidate.name);
    if (type.empty() || candidate.name == type) tables.push_back(candidate.options);
  }
  if (!type.empty() && tables.empty()) {
    std::string near = closest(type, names);
    throw UsageError("unknown job type '" + std::string(type) + "'; " +
                     (near.empty() ? "types: " + join(names, ", ") : "did you mean '" + near + "'?"));
  }
  tables.push_back(kDaemonOptions);
  tables.push_back(kGlobalOptions);
  return tables;
}

std::string unknown_key(std::string_view key, const std::vector<std::string>& known) {
  std::string near = closest(key, known);
  return "unknown key '" + std::string(key) + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?");
}

}  // namespace skytools::config
