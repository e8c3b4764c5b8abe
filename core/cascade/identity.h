#pragma once
#include <string>

#include "core/pg/connection.h"

namespace skytools::cascade {

/// Do both connections lead to one database? Proved by an advisory lock that one holds and the other sees: names,
/// addresses and identifiers of servers may lie.
bool same_database(pg::Connection& a, pg::Connection& b);

/// Logs a warning about a public connect string that only works on the machine itself.
void warn_if_local_only(const std::string& location);

}  // namespace skytools::cascade
