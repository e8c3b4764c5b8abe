#pragma once
#include <initializer_list>
#include <string>

#include "cmd/context.h"
#include "core/cascade/handler.h"

/// What the daemons of a cascaded queue share: `londiste worker`, `cascade worker`, `cascade consumer`.
namespace skytools::cmd {

/// Checks what an operator must mend first, carries out --rewind or --reset, or runs until a stop. Later failures are
/// waited out. @return exit code
int run_cascaded(Context& context, cascade::WorkerSettings settings, cascade::EventHandler& handler,
                 std::initializer_list<std::string_view> schemas);

/// The result of something that --dry-run only tells about: on stdout then, else in the log.
void report(Context& context, const std::string& text);

int cascade_worker(Context& context);
int cascade_consumer(Context& context);

}  // namespace skytools::cmd
