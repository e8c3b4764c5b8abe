#pragma once
#include "core/ticker/api.h"
#include "core/ticker/stats.h"

namespace skytools::ticker {

/// One maintenance round: the rows of pgq.maint_operations() in their order, each in a transaction of its own. A
/// failing one is logged and the rest goes on; the second step of rotation is always tried. @return operations that
/// failed
/// @throws SqlError  the connection is gone; Stopped
int maintenance_round(pg::Connection& connection, Stats& stats);

/// One retry round: moves due events until none is left. @return failures, 0 or 1  @throws as above
int retry_round(pg::Connection& connection, Stats& stats);

}  // namespace skytools::ticker
