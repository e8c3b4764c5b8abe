#include "cmd/dispatch.h"
#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/arguments.h"

namespace skytools::cmd {

namespace {

/// Options of the command and of everything below it: any of them may stand before the words that are still to come.
void collect_tables(const Command& command, std::vector<config::Options>& out) {
  out.push_back(command.options);
  for (const Command& child : command.children) collect_tables(child, out);
}

/// Does this option take the next word of the command line as its value?
bool takes_next(const std::vector<config::Options>& tables, std::string argument) {
  if (argument.starts_with("--")) {
    const config::Option* option = config::find_flag(tables, argument);
    return option && takes_value(*option) && argument.find('=') == std::string::npos;
  }
  // A cluster of letters: the first that takes a value ends it.
  for (; argument.size() > 1; argument.erase(1, 1)) {
    const config::Option* option = config::find_flag(tables, argument);
    if (option && takes_value(*option)) return argument.size() == 2;
  }
  return false;
}

}  // namespace

std::string Invocation::words() const {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < path.size(); ++i) names.emplace_back(path[i]->name);
  return join(names, " ");
}

const Command& child_of(const Command& parent, const std::string& path, const std::string& name) {
  std::vector<std::string> names;
  for (const Command& child : parent.children) {
    if (child.name == name) return child;
    names.emplace_back(child.name);
  }
  std::string text = "unknown command '" + (path.empty() ? "" : path + " ") + name + "'";
  std::string near = closest(name, names);
  throw UsageError(text + (near.empty() ? "; 'skytools help" + (path.empty() ? "" : " " + path) + "' lists them"
                                        : "; did you mean '" + near + "'?"));
}

Invocation find_command(const Command& root, const std::vector<std::string>& argv) {
  Invocation found{{&root}, {}};
  bool only_words = false;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    const std::string& word = argv[i];
    if (only_words || found.command().children.empty()) {
      found.arguments.push_back(word);
    } else if (word == "--") {
      only_words = true;
      found.arguments.push_back(word);
    } else if (word.size() > 1 && word[0] == '-') {
      found.arguments.push_back(word);
      std::vector<config::Options> tables = {config::kGlobalOptions, config::kDaemonOptions};
      collect_tables(found.command(), tables);
      if (takes_next(tables, word) && i + 1 < argv.size()) found.arguments.push_back(argv[++i]);
    } else {
      found.path.push_back(&child_of(found.command(), found.words(), word));
    }
  }
  return found;
}

std::vector<config::Options> tables_of(const Command& command) {
  std::vector<config::Options> tables = {command.options};
  if (command.daemon) tables.push_back(config::kDaemonOptions);
  tables.push_back(config::kGlobalOptions);
  return tables;
}

}  // namespace skytools::cmd
