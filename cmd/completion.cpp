#include "cmd/completion.h"

#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <vector>

#include "cmd/context.h"
#include "cmd/dispatch.h"
#include "core/base/error.h"
#include "core/base/strings.h"

// Completion scripts from the command tables. All three walk the words typed so far to the command they name, skipping
// options with their values, and offer what that command takes. A place in the tree is its words joined by "/".

namespace skytools::cmd {

namespace {

/// What can be typed at one place of the command tree.
struct Place {
  std::string path;  ///< "/londiste/add-table"; "" at the root
  const Command* command;
  std::vector<config::Options> tables;
};

void visit(const Invocation& at, const std::string& path, const std::function<void(const Place&)>& see) {
  see({path, &at.command(), tables_of(at.command())});
  for (const Command& child : at.command().children) {
    Invocation deeper = at;
    deeper.path.push_back(&child);
    visit(deeper, path + "/" + std::string(child.name), see);
  }
}

void each_place(const std::function<void(const Place&)>& see) { visit({{&root()}, {}}, "", see); }

void each_option(const Place& place, const std::function<void(const config::Option&)>& see) {
  std::set<std::string> seen;
  for (auto& table : place.tables)
    for (auto& option : table)
      if (seen.insert(config::flag_name(option)).second) see(option);
}

bool takes_path(const config::Option& option) {
  std::string value = config::value_name(option);
  return value == "FILE" || value == "DIR";
}

/// In single quotes, for all three shells; fish knows `\'` inside them, sh does not.
std::string quoted(std::string_view text, bool fish = false) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'')
      out += fish ? "\\'" : "'\\''";
    else
      out += c;
  }
  return out + "'";
}

/// The flags of the whole program that take a value, long and short, as alternatives of a `case`.
std::string value_flags() {
  std::set<std::string> flags;
  each_place([&](const Place& place) {
    each_option(place, [&](const config::Option& option) {
      if (!config::takes_value(option)) return;
      flags.insert("--" + config::flag_name(option));
      if (option.letter) flags.insert(std::string("-") + option.letter);
    });
  });
  return join({flags.begin(), flags.end()}, "|");
}

std::string all_paths() {
  std::vector<std::string> paths;
  each_place([&](const Place& place) {
    if (!place.path.empty()) paths.push_back(place.path);
  });
  return join(paths, "|");
}

/// Options whose values are known: flag → the values, "" for a path.
std::map<std::string, std::string> known_values() {
  std::map<std::string, std::string> out;
  each_place([&](const Place& place) {
    each_option(place, [&](const config::Option& option) {
      if (option.choices.empty() && !takes_path(option)) return;
      std::string values(option.choices);
      for (char& c : values)
        if (c == '|') c = ' ';
      out["--" + config::flag_name(option)] = values;
      if (option.letter) out[std::string("-") + option.letter] = values;
    });
  });
  return out;
}

/// The walk, in the common language of bash and zsh. `words` counts from `first`; `last` is the word being typed.
std::string walk(const std::string& words, const std::string& first, const std::string& last) {
  return "  local at= i word\n  for ((i = " + first + "; i < " + last + "; i++)); do\n    word=${" + words +
         "[i]}\n    case $word in\n      " + value_flags() +
         ") ((i++)); continue ;;\n      -*) continue ;;\n    esac\n    case $at/$word in\n      " + all_paths() +
         ") at=$at/$word ;;\n    esac\n  done\n";
}

void print_bash(std::ostream& out) {
  out << "# bash completion of skytools\n_skytools() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} offer=\n"
      << walk("COMP_WORDS", "1", "COMP_CWORD") << "  case $prev in\n";
  for (auto& [flag, values] : known_values())
    out << "    " << flag << ") COMPREPLY=($(compgen " << (values.empty() ? "-f" : "-W " + quoted(values))
        << " -- \"$cur\")); return ;;\n";
  out << "    " << value_flags() << ") return ;;\n  esac\n  case $at in\n";
  each_place([&](const Place& place) {
    std::vector<std::string> offer;
    for (const Command& child : place.command->children) offer.emplace_back(child.name);
    each_option(place, [&](const config::Option& option) { offer.push_back("--" + config::flag_name(option)); });
    out << "    " << quoted(place.path) << ") offer=" << quoted(join(offer, " ")) << " ;;\n";
  });
  out << "  esac\n  COMPREPLY=($(compgen -W \"$offer\" -- \"$cur\"))\n}\ncomplete -F _skytools skytools\n";
}

/// `_describe` takes "word:what it is".
std::string described(std::string_view word, std::string_view help) {
  std::string out;
  for (char c : word) out += c == ':' ? "\\:" : std::string(1, c);
  return quoted(out + ":" + std::string(help));
}

void print_zsh(std::ostream& out) {
  out << "#compdef skytools\n_skytools() {\n  setopt local_options ksh_arrays\n  local current=$((CURRENT - 1))\n"
      << "  local prev=${words[current-1]}\n"
      << walk("words", "1", "current") << "  local -a commands flags\n  case $prev in\n";
  for (auto& [flag, values] : known_values())
    out << "    " << flag << ") " << (values.empty() ? "_files" : "compadd -- " + values) << "; return ;;\n";
  out << "    " << value_flags() << ") return ;;\n  esac\n  case $at in\n";
  each_place([&](const Place& place) {
    std::vector<std::string> children, flags;
    for (const Command& child : place.command->children) children.push_back(described(child.name, child.help));
    each_option(place, [&](const config::Option& option) {
      flags.push_back(described("--" + config::flag_name(option), option.help));
    });
    out << "    " << quoted(place.path) << ")\n      commands=(" << join(children, " ") << ")\n      flags=("
        << join(flags, " ") << ") ;;\n";
  });
  out << "  esac\n  unsetopt ksh_arrays\n"
         "  (( ${#commands} )) && _describe command commands\n  _describe -o option flags\n}\n"
         "if [[ $funcstack[1] == _skytools ]]; then _skytools \"$@\"; else compdef _skytools skytools; fi\n";
}

void print_fish(std::ostream& out) {
  out << "# fish completion of skytools\nfunction __skytools_at\n  set -l at ''\n  set -l skip 0\n"
         "  for word in (commandline -opc)[2..]\n    if test $skip = 1\n      set skip 0\n      continue\n    end\n"
         "    switch $word\n      case ";
  std::string flags = value_flags();
  for (char& c : flags)
    if (c == '|') c = ' ';
  std::string paths = all_paths();
  for (char& c : paths)
    if (c == '|') c = ' ';
  out << flags << "\n        set skip 1\n      case '-*'\n      case '*'\n        if contains -- $at/$word " << paths
      << "\n          set at $at/$word\n        end\n    end\n  end\n  test \"$at\" = \"$argv[1]\"\nend\n"
         "complete -c skytools -f\n";
  each_place([&](const Place& place) {
    std::string start = "complete -c skytools -n " + quoted("__skytools_at '" + place.path + "'", true);
    for (const Command& child : place.command->children)
      out << start << " -a " << child.name << " -d " << quoted(child.help, true) << "\n";
    each_option(place, [&](const config::Option& option) {
      out << start << " -l " << config::flag_name(option);
      if (option.letter) out << " -s " << option.letter;
      std::string values(option.choices);
      for (char& c : values)
        if (c == '|') c = ' ';
      if (takes_path(option))
        out << " -rF";
      else if (config::takes_value(option))
        out << " -x" << (values.empty() ? "" : " -a " + quoted(values, true));
      out << " -d " << quoted(option.help, true) << "\n";
    });
  });
}

struct Shell {
  std::string_view name;
  void (*print)(std::ostream&);
};
constexpr Shell kShells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

int run_completion(Context& context) {
  for (auto& shell : kShells)
    if (shell.name == context.args[0]) return shell.print(context.out), 0;
  throw UsageError("no completion for shell '" + context.args[0] + "'; there is bash, zsh, fish");
}

}  // namespace

constinit const Command kCompletionCommand{
    .name = "completion",
    .synopsis = "SHELL",
    .help = "print the completion script of a shell: bash, zsh or fish",
    .run = run_completion,
    .details =
        "Examples:\n"
        "  source <(skytools completion bash)                                        this session\n"
        "  skytools completion bash > /etc/bash_completion.d/skytools                all users\n"
        "  skytools completion zsh > ~/.zsh/completions/_skytools\n"
        "  skytools completion fish > ~/.config/fish/completions/skytools.fish",
    .min_args = 1,
    .max_args = 1,
    .reads_file = false};

}  // namespace skytools::cmd
