#include "cmd/man.h"

#include <filesystem>
#include <fstream>
#include <ostream>

#include "cmd/context.h"
#include "cmd/help.h"
#include "core/base/error.h"
#include "core/base/strings.h"

// Man pages from the command tables: skytools.1, and skytools-NOUN.1 with all commands below the noun.

namespace skytools::cmd {

namespace {

/// Text for roff: backslashes and hyphens escaped, nothing at the start of a line that is a request.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_start = c == '\n';
  }
  return out;
}

std::string heading(const char* request, const std::string& text) {
  return std::string(request) + " \"" + roff(text) + "\"\n";
}

/// Paragraphs; those that are indented keep their lines.
std::string paragraphs(std::string_view text) {
  std::string out = ".PP\n.nf\n";
  return out + roff(text) + "\n.fi\n";
}

std::string options(const std::string& title, config::Options table) {
  if (table.empty()) return "";
  std::string out = title.empty() ? "" : heading(".SH", title);
  for (auto& option : table) out += ".TP\n.B " + roff(flag_text(option)) + "\n" + roff(help_line(option)) + "\n";
  return out;
}

std::string page_name(const Command& noun) {
  return &noun == &root() ? "skytools" : "skytools-" + std::string(noun.name);
}

/// The commands below `invocation`, each as a subsection with its options.
std::string commands(const Invocation& invocation) {
  std::string out;
  for (const Command& child : invocation.command().children) {
    Invocation deeper = invocation;
    deeper.path.push_back(&child);
    out += heading(".SS",
                   "skytools " + deeper.words() + (child.synopsis.empty() ? "" : " " + std::string(child.synopsis)));
    out += roff(child.help) + ".\n";
    if (!child.details.empty()) out += paragraphs(child.details);
    out += options("", child.options);
    if (child.daemon) out += ".PP\nTakes the daemon options of\n.BR skytools (1)\n";
    out += commands(deeper);
  }
  return out;
}

std::string root_page_commands() {
  std::string out = heading(".SH", "COMMANDS");
  for (const Command& noun : root().children)
    out += ".TP\n.BR " + roff(page_name(noun)) + " (1)\n" + roff(noun.help) + ".\n";
  return out;
}

std::string page(const Invocation& invocation) {
  const Command& command = invocation.command();
  bool is_root = &command == &root();
  std::string out = ".TH \"" + roff(page_name(command)) + "\" 1 \"\" \"skytools " SKYTOOLS_VERSION "\" \"skytools\"\n";
  out += heading(".SH", "NAME") + roff(page_name(command)) + " \\- " + roff(command.help) + "\n";
  out += heading(".SH", "SYNOPSIS") + roff(usage_line(invocation).substr(std::string_view("usage: ").size())) + "\n";
  if (!command.details.empty()) out += heading(".SH", "DESCRIPTION") + paragraphs(command.details);
  out += options("OPTIONS", command.options);
  if (is_root || command.daemon) out += options("DAEMON OPTIONS", config::kDaemonOptions);
  if (is_root)
    out += options("GLOBAL OPTIONS", config::kGlobalOptions) + root_page_commands();
  else if (!command.children.empty())
    out += heading(".SH", "COMMANDS") + commands(invocation);
  if (!is_root) out += heading(".SH", "SEE ALSO") + ".BR skytools (1)\n";
  return out;
}

void write_page(const std::filesystem::path& folder, const Invocation& invocation) {
  std::filesystem::path path = folder / (page_name(invocation.command()) + ".1");
  std::ofstream out(path);
  out << page(invocation) << std::flush;
  if (!out) throw Error("cannot write '" + path.string() + "'");
}

int run_man(Context& context) {
  Invocation invocation{{&root()}, {}};
  if (!context.settings.has("dir")) {
    if (!context.args.empty()) invocation.path.push_back(&child_of(root(), "", context.args[0]));
    context.out << page(invocation);
    return 0;
  }
  if (!context.args.empty()) throw UsageError("man --dir writes all pages and takes no COMMAND");
  std::filesystem::path folder = context.settings.text("dir");
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw Error("cannot create '" + folder.string() + "': " + failed.message());
  write_page(folder, invocation);
  for (const Command& noun : root().children) write_page(folder, {{&root(), &noun}, {}});
  return 0;
}

constexpr config::Option kOptions[] = {
    {.key = "dir", .help = "write all pages into this folder", .value = "DIR", .where = config::Where::flag},
};

}  // namespace

constinit const Command kManCommand{.name = "man",
                                    .synopsis = "[COMMAND]",
                                    .help = "print the manual page of a command",
                                    .options = kOptions,
                                    .run = run_man,
                                    .details = "Example:\n  skytools man londiste | man -l -",
                                    .max_args = 1,
                                    .reads_file = false};

}  // namespace skytools::cmd
