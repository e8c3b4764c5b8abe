#pragma once
#include <memory>

#include "cmd/context.h"
#include "core/consumer/loop.h"
#include "core/consumer/options.h"

/// What the commands `skytools consumer …` share.
namespace skytools::cmd {

consumer::Surroundings surroundings(Context& context);
/// The queue's database: --from where the command has it, else --db.
std::string source_conninfo(const Context& context, const config::Settings& settings);
/// The sink that --exec or --sql ask for; null when neither is given.
std::unique_ptr<consumer::Sink> make_sink(const consumer::Action& action, const consumer::Settings& settings,
                                          Context& context);
/// Runs to a stop, or with --once to the end; begins again after errors. @return exit code
int run_loop(Context& context, const consumer::Settings& settings, consumer::Sink& sink);

}  // namespace skytools::cmd
