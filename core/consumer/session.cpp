#include "core/consumer/session.h"

namespace skytools::consumer {

void prepare_session(pg::Connection& c, const std::string& encoding) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  tx.exec(
      "select set_config('datestyle', 'ISO, MDY', false),"
      " case when $1 <> '' then set_config('client_encoding',"
      "   case when current_setting('server_encoding') = 'SQL_ASCII' then 'SQL_ASCII' else $1 end, false) end,"
      " (select count(set_config(name, '0', false)) from pg_catalog.pg_settings where name in ('statement_timeout',"
      "   'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout'))",
      encoding);
}

void schema_is_missing(const pg::Connection& c, const std::string& module) {
  throw SchemaMissing("[" + c.label() + "] schema " + module + " is missing; run: skytools install " + module +
                      " --db \"" + c.address() + "\"");
}

namespace {
/// Two servers don't start in the same microsecond and share a database's number.
std::string identity(pg::Connection& c) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  return tx.value<std::string>(
      "select extract(epoch from pg_postmaster_start_time()) || ' ' || oid from pg_catalog.pg_database"
      " where datname = current_database()");
}
}  // namespace

bool same_session(pg::Connection& a, pg::Connection& b) {
  auto session = [](pg::Connection& c) {
    pg::Transaction tx(c, pg::Mode::autocommit);
    return tx.value<std::string>(
        "select concat_ws(' ', session_user, (select string_agg(name || '=' || setting, ' ' order by name)"
        " from pg_catalog.pg_settings where source = 'client' and name not in ('application_name', "
        "'client_encoding')))");
  };
  return session(a) == session(b);
}

bool same_database(pg::Connection& a, pg::Connection& b) { return identity(a) == identity(b); }

}  // namespace skytools::consumer
