#pragma once
#include "cmd/context.h"

/// The run functions of `skytools londiste …`, by file.
namespace skytools::cmd {

// londiste_tables.cpp
int add_table(Context& context);
int add_seq(Context& context);
int list_tables(Context& context);
int list_seqs(Context& context);
int list_missing(Context& context);
int wait_sync(Context& context);

// londiste_worker.cpp
int londiste_worker(Context& context);

}  // namespace skytools::cmd
