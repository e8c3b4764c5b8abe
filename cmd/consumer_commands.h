#pragma once
#include "cmd/context.h"

/// The run functions of `skytools consumer …`, by file.
namespace skytools::cmd {

// consumer_run.cpp
int consumer_list(Context& context);
int consumer_run(Context& context);
int consumer_local(Context& context);
int consumer_move(Context& context);
int consumer_split(Context& context);
int consumer_print(Context& context);

// consumer_coop.cpp
int consumer_coop(Context& context);

}  // namespace skytools::cmd
