#include "cmd/help.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/ui/terminal.h"

namespace skytools::cmd {

namespace {

constexpr std::size_t kWidth = 100;  ///< lines are filled up to here
constexpr std::size_t kColumn = 30;  ///< explanations start here at the latest

struct Line {
  std::string left, right;
};

/// Two columns; the right one is wrapped, and starts below a left text that is too long.
std::string two_columns(const std::vector<Line>& lines) {
  std::size_t widest = 0;
  for (auto& line : lines)
    if (line.left.size() + 4 <= kColumn) widest = std::max(widest, line.left.size());
  std::size_t column = widest + 4;
  std::string out;
  for (auto& line : lines) {
    out += "  " + line.left;
    std::size_t at = line.left.size() + 2;
    if (at + 2 > column) out += '\n', at = 0;
    out.append(column - at, ' ');
    at = column;
    for (auto& word : split(line.right, ' ')) {
      if (at > column && at + 1 + word.size() > kWidth) {
        out += '\n' + std::string(column, ' ');
        at = column;
      } else if (at > column) {
        out += ' ';
        ++at;
      }
      out += word;
      at += word.size();
    }
    out += '\n';
  }
  return out;
}

std::string section(const std::string& title, const std::vector<Line>& lines) {
  return lines.empty() ? "" : "\n" + ui::bold(title) + "\n" + two_columns(lines);
}

std::vector<Line> option_lines(config::Options options) {
  std::vector<Line> lines;
  bool letters = std::any_of(options.begin(), options.end(), [](auto& o) { return o.letter != 0; });
  for (auto& option : options)
    lines.push_back({(letters && !option.letter ? "    " : "") + flag_text(option), help_line(option)});
  return lines;
}

std::vector<Line> command_lines(const Command& parent) {
  std::vector<Line> lines;
  for (const Command& child : parent.children) lines.push_back({std::string(child.name), std::string(child.help)});
  return lines;
}

/// "-c --config, --db, …": the flags every command has, by name only.
std::string global_names() {
  std::string out;
  for (auto& option : config::kGlobalOptions) {
    if (option.key == "help" || option.key == "version") continue;
    out += (out.empty() ? "--" : " --") + flag_name(option);
  }
  return out;
}

}  // namespace

std::string flag_text(const config::Option& option) {
  std::string value = value_name(option);
  std::string no = option.type == config::Type::boolean && option.fallback == "true" ? "no-" : "";
  return (option.letter ? std::string("-") + option.letter + ", " : "") + "--" + no + flag_name(option) +
         (value.empty() ? "" : " " + value);
}

std::string help_line(const config::Option& option) {
  std::string line(option.help);
  if (!option.choices.empty() && !option.value.empty()) line += "; " + std::string(option.choices);
  if (!option.fallback.empty() && takes_value(option)) line += " [" + std::string(option.fallback) + "]";
  return line;
}

std::string usage_line(const Invocation& invocation) {
  const Command& command = invocation.command();
  std::string out = "usage: skytools";
  if (invocation.path.size() > 1) out += " " + invocation.words();
  out += " [options]";
  if (!command.children.empty())
    out += " COMMAND";
  else if (!command.synopsis.empty())
    out += " " + std::string(command.synopsis);
  return out;
}

std::string help_text(const Invocation& invocation) {
  const Command& command = invocation.command();
  bool is_root = invocation.path.size() == 1;
  std::string out = usage_line(invocation) + "\n";
  out += "\n" + std::string(command.help) + "\n";
  if (!command.details.empty()) out += "\n" + std::string(command.details) + "\n";
  out += section("Commands", command_lines(command));
  out += section("Options", option_lines(command.options));
  if (command.daemon) out += section("Daemon options", option_lines(config::kDaemonOptions));
  if (is_root)
    out += section("Global options, before or after the command", option_lines(config::kGlobalOptions));
  else
    out += section("Global options, explained by skytools help", {{"", global_names()}});
  if (!command.children.empty())
    out += "\n'skytools help " + (is_root ? "" : invocation.words() + " ") + "COMMAND' explains a command.\n";
  return out;
}

}  // namespace skytools::cmd
