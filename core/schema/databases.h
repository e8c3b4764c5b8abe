#pragma once
#include <string>
#include <vector>

#include "core/pg/connection.h"

namespace skytools::schema {

struct Database {
  std::string name;
  std::string conninfo;  ///< the given one with this dbname
};

/// All databases of a server that accept connections and let us in, by name; templates are left out.
/// @param conninfo  any database of the server
std::vector<Database> databases(const std::string& conninfo, const pg::ConnectOptions& options);

}  // namespace skytools::schema
