#include "core/schema/databases.h"

#include "core/pg/transaction.h"

namespace skytools::schema {

std::vector<Database> databases(const std::string& conninfo, const pg::ConnectOptions& options) {
  pg::Connection c("db", conninfo, options);
  pg::Transaction tx(c, pg::Mode::read_only);
  auto r = tx.exec(
      "select datname from pg_catalog.pg_database where datallowconn and not datistemplate"
      " and pg_catalog.has_database_privilege(oid, 'connect') order by datname");
  std::vector<Database> out;
  for (int i = 0; i < r.rows(); ++i) {
    std::string name(r.text(i, 0));
    out.push_back({name, pg::with_keyword(conninfo, "dbname", name)});
  }
  return out;
}

}  // namespace skytools::schema
