#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "core/config/option.h"

namespace skytools::cmd {

struct Context;

/// One word of the command line. It either runs or has children. Help, man pages and completion come from these rows.
struct Command {
  std::string_view name;
  std::string_view synopsis = {};  ///< arguments: "TABLE..."
  std::string_view help = {};      ///< one line, lower case, no full stop
  config::Options options = {};
  bool daemon = false;             ///< adds --daemon, --pid-file, --stop, --kill, --reload, --once
  int (*run)(Context&) = nullptr;  ///< returns the exit code; throws Error
  std::span<const Command> children = {};
  std::string_view details = {};           ///< paragraphs and examples shown by --help and in the man page
  std::size_t min_args = 0, max_args = 0;  ///< checked before run
  std::string_view job = {};               ///< job type whose keys `options` are, for daemons: "ticker", "londiste"
  bool reads_file = true;                  ///< false: --config is left to the command itself
};

inline constexpr std::size_t kAnyArgs = static_cast<std::size_t>(-1);

/// The whole program: its children are the nouns. cmd/root.cpp
const Command& root();

}  // namespace skytools::cmd
