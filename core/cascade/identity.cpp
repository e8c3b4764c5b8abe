#include "core/cascade/identity.h"

#include "core/log/log.h"
#include "core/pg/transaction.h"

namespace skytools::cascade {

namespace {
constexpr int kIdentityLock = 1397446519;  ///< class of the advisory locks of same_database()
}

bool same_database(pg::Connection& a, pg::Connection& b) {
  pg::Transaction holder(a);
  int key = a.backend_pid();
  holder.exec("select pg_advisory_xact_lock($1::int, $2::int)", kIdentityLock, key);
  pg::Transaction seeker(b, pg::Mode::autocommit);
  return seeker.value<bool>(
      "select exists (select 1 from pg_catalog.pg_locks l join pg_catalog.pg_database d on d.oid = l.database"
      " where d.datname = current_database() and l.locktype = 'advisory' and l.classid = $1::int::oid and l.objid = "
      "$2::int::oid)",
      kIdentityLock, key);
}

void warn_if_local_only(const std::string& location) {
  for (auto* word : {"host", "service", "://"})
    if (location.find(word) != std::string::npos) return;
  log::warning("the public connect string names no host: other machines will not find this node");
}

}  // namespace skytools::cascade
