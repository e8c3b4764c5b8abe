#include "core/config/load.h"

#include <filesystem>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::config {

namespace {

/// The job's own layer; `job` is its name unless it says another: the section's name, or that of the file.
Layer job_layer(const Job& job, const std::string& path) {
  Layer layer = job.values;
  std::string name = job.name.empty() ? std::filesystem::path(path).stem().string() : job.name;
  layer.emplace("job", Value{{name}, job.name.empty() ? "name of the file" : path});
  return layer;
}

/// A bare word where a connection is wanted must be a name of `connections:`.
std::string resolve(const std::string& text, const JobFile& file, const std::string& origin) {
  if (text.find('=') != std::string::npos || text.find("://") != std::string::npos || trim(text).empty()) return text;
  if (auto found = file.connections.find(text); found != file.connections.end()) return found->second;
  std::vector<std::string> names;
  for (auto& [name, conninfo] : file.connections) names.push_back(name);
  std::string near = closest(text, names);
  std::string hint =
      near.empty() ? "; a database of this server is written dbname=" + text : "; did you mean '" + near + "'?";
  throw UsageError(origin + ": '" + text + "' is no name of connections:" + hint);
}

void resolve_connections(Layer& layer, const std::vector<Options>& tables, const JobFile& file) {
  for (auto& [key, value] : layer) {
    const Option* option = find_key(tables, key);
    if (!option || !option->connection) continue;
    for (auto& item : value.items) item = resolve(item, file, value.origin);
  }
}

}  // namespace

Loaded load(const Sources& sources) {
  Settings first(sources.tables, {sources.flags, environment_layer(sources.tables)});
  JobFile file;
  const Job* job = nullptr;
  if (std::string path = first.text("config"); !path.empty()) {
    file = read_job_file(path, sources.types);
    job = file.pick(first.text("job"), sources.wanted_type);
  }

  std::vector<Options> tables = sources.tables;
  auto add = [&](Options more) {
    for (Options table : tables)
      if (table.data() == more.data()) return;
    tables.push_back(more);
  };
  if (job)
    for (Options table : tables_of(sources.types, job->type)) add(table);

  // A command may have a --set of its own meaning.
  bool overrides = find_key(tables, "set") == find_key(std::span(&kGlobalOptions, 1), "set");
  std::vector<Layer> layers = {sources.flags, overrides ? override_layer(first.list("set"), tables) : Layer{},
                               environment_layer(tables)};
  if (job) {
    // The name that picked the job from several is no wish to rename it.
    if (!job->name.empty() && first.text("job") == job->name) layers[0].erase("job"), layers[2].erase("job");
    layers.push_back(job_layer(*job, file.path));
  }
  layers.push_back(file.defaults);
  layers.push_back(sources.database);
  for (Layer& layer : layers) resolve_connections(layer, tables, file);
  return {Settings(tables, layers), file.warnings};
}

}  // namespace skytools::config
