#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/settings.h"

namespace skytools::config {

/// A kind of job a file may hold, with the keys it takes besides those of every command and daemon.
struct JobType {
  std::string_view name;
  Options options;
};
using JobTypes = std::vector<JobType>;

/// One section of a file.
struct Job {
  std::string name;  ///< empty: the file is this one job
  std::string type;  ///< may be missing
  Layer values;
};

/// A job file: checked against the option tables, nothing merged yet.
struct JobFile {
  std::string path;
  std::map<std::string, std::string, std::less<>> connections;  ///< name → connection string
  Layer defaults;                                               ///< `defaults:` and `log:`
  std::vector<Job> jobs;
  std::vector<std::string> warnings;  ///< about keys of an .ini file that have no effect here

  /// The job of that name; without a name the only one of the wanted type, else the only one. Null when the file has no
  /// job.
  /// @throws UsageError  no such job, several to choose from, or a job of another type
  const Job* pick(const std::string& name, std::string_view wanted_type) const;
};

/// Reads YAML, or for a name that ends in .ini the format of the original programs.
/// @throws UsageError  with file:line: cannot be read, not well-formed, unknown or duplicate key
JobFile read_job_file(const std::string& path, const JobTypes& types);

/// The YAML form from text, for `path` in messages.
JobFile parse_yaml(const std::string& text, const std::string& path, const JobTypes& types);

/// The tables that hold the keys of a job type; of all types when it is empty. @throws UsageError  unknown type
std::vector<Options> tables_of(const JobTypes& types, std::string_view type);

/// "unknown key 'qeue'; did you mean 'queue'?"
std::string unknown_key(std::string_view key, const std::vector<std::string>& known);

}  // namespace skytools::config
