#include "core/ticker/discovery.h"

#include <algorithm>

#include "core/log/log.h"
#include "core/pg/transaction.h"
#include "core/ticker/database.h"

namespace skytools::ticker {

namespace {

std::vector<std::string> database_names(const std::string& conninfo, const StopToken& stop) {
  pg::Connection connection("discovery", conninfo, connect_options(stop));
  pg::Result r =
      pg::Transaction(connection, pg::Mode::autocommit)
          .exec("select datname from pg_catalog.pg_database where datallowconn and not datistemplate order by datname");
  std::vector<std::string> names;
  for (int i = 0; i < r.rows(); ++i) names.emplace_back(r.text(i, 0));
  return names;
}

bool has_queues(const std::string& conninfo, const StopToken& stop) {
  pg::Connection connection("discovery", conninfo, connect_options(stop));
  return pg::Transaction(connection, pg::Mode::autocommit)
      .value<bool>("select pg_catalog.to_regprocedure('pgq.ticker(text)') is not null");
}

}  // namespace

std::vector<std::string> discover(const std::string& conninfo, const std::vector<std::string>& known,
                                  const StopToken& stop) {
  std::vector<std::string> found;
  for (auto& name : database_names(conninfo, stop)) {
    std::string each = pg::with_keyword(conninfo, "dbname", name);
    if (std::find(known.begin(), known.end(), each) != known.end()) {
      found.push_back(each);
      continue;
    }
    try {
      if (has_queues(each, stop)) found.push_back(each);
    } catch (const pg::SqlError& e) {
      log::warning(e.what());
    }
  }
  return found;
}

}  // namespace skytools::ticker
