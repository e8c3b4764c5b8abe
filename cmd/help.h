#pragma once
#include <string>

#include "cmd/dispatch.h"

namespace skytools::cmd {

/// The page of --help for the last command of the path.
std::string help_text(const Invocation& invocation);

/// "usage: skytools londiste add-table [options] TABLE..." without a line end.
std::string usage_line(const Invocation& invocation);

/// "-c, --config FILE" as help and man page show it.
std::string flag_text(const config::Option& option);

/// The help line of an option with choices and default: "form of the log lines; text|logfmt|json [text]".
std::string help_line(const config::Option& option);

}  // namespace skytools::cmd
