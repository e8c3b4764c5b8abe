#pragma once
#include <string>
#include <vector>

#include "core/base/stop.h"

namespace skytools::ticker {

/// Asks every connectable database of the server, one after the other, each with a short connection, whether it has the
/// schema pgq. `known`: connection strings of databases that are served already, which need not be asked.
/// @return connection strings, by name; a database that cannot be asked is logged and left out
/// @throws ConnectError  the database `conninfo` leads to cannot be asked; Stopped
std::vector<std::string> discover(const std::string& conninfo, const std::vector<std::string>& known,
                                  const StopToken& stop);

}  // namespace skytools::ticker
