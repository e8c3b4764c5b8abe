#include "core/londiste/table_copy.h"

#include "core/base/deadline.h"
#include "core/base/duration.h"
#include "core/base/failpoint.h"
#include "core/log/log.h"
#include "core/londiste/catalog.h"
#include "core/londiste/structure.h"

namespace skytools::londiste {

namespace {

constexpr double kManyRows = 20000;  ///< from here on building indexes after the load pays
constexpr auto kProgressInterval = std::chrono::seconds(10);

/// Columns both sides have and the target may be given; the others are named in warnings.
struct CommonColumns {
  std::string names;       ///< quoted list
  bool binary = true;      ///< all types are the same built-in ones
  bool generated = false;  ///< the source computes some, which only a query can copy
};

/// The type of an array of a built-in type has a name of its own, so looking at the qualified names is enough.
bool same_builtin_type(const Column& a, const Column& b) {
  return a.type == b.type && a.type.starts_with("pg_catalog.");
}

CommonColumns common_columns(const TableInfo& from, const TableInfo& to) {
  CommonColumns common;
  for (auto& column : from.columns) {
    const Column* target = to.find(column.name);
    if (!target) {
      log::warning("table " + to.name.str() + " column " + column.name + " does not exist on subscriber");
      continue;
    }
    if (target->generated) continue;
    common.generated = common.generated || column.generated;
    common.names += (common.names.empty() ? "" : ", ") + quote_ident(column.name);
    common.binary = common.binary && same_builtin_type(column, *target);
  }
  for (auto& column : to.columns)
    if (!from.find(column.name))
      log::warning("table " + to.name.str() + " column " + column.name + " does not exist on provider");
  return common;
}

/// One line every ten seconds: rows, bytes, rate and, where the size is known, percent.
class CopyProgress {
 public:
  CopyProgress(std::string table, double expected_rows) : table_(std::move(table)), expected_(expected_rows) {}
  void operator()(const pg::CopyTotals& totals) {
    auto now = Clock::now();
    if (now - last_ < kProgressInterval) return;
    last_ = now;
    double seconds = std::chrono::duration<double>(now - start_).count();
    std::string text = table_ + ": copying: " + std::to_string(totals.rows) + " rows, " + format_size(totals.bytes) +
                       ", " + std::to_string(static_cast<std::int64_t>(static_cast<double>(totals.rows) / seconds)) +
                       " rows/s";
    if (expected_ > 0) {
      double done = std::min(1.0, static_cast<double>(totals.rows) / expected_);
      auto left = static_cast<std::int64_t>(done > 0 ? seconds / done * (1 - done) * 1000 : 0);
      text +=
          ", " + std::to_string(static_cast<int>(done * 100)) + "%, " + format_duration(milliseconds(left)) + " left";
    }
    log::info(text);
  }

 private:
  std::string table_;
  double expected_;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

double estimated_rows(pg::Transaction& source, const TableInfo& from) {
  return source.value<double>("select greatest(reltuples, 0)::float8 from pg_catalog.pg_class where oid = $1::regclass",
                              from.name.sql());
}

}  // namespace

void limit_lock_wait(pg::Transaction& tx) { tx.exec("set local lock_timeout = '10s'"); }

void drop_foreign_keys(pg::Connection& target, const Table& table) {
  std::vector<std::pair<std::string, std::string>> keys;
  {
    pg::Transaction tx(target, pg::Mode::autocommit);
    pg::Result r = tx.exec("select from_table, fkey_name from londiste.find_table_fkeys($1)", table.dest.str());
    for (int i = 0; i < r.rows(); ++i) keys.emplace_back(r.text(i, 0), r.text(i, 1));
  }
  for (auto& [from, name] : keys) {
    log::info("dropping fkey: " + name, {{"table", from}});
    pg::Transaction tx(target);
    limit_lock_wait(tx);
    tx.exec("select londiste.drop_table_fkey($1, $2)", from, name);
    tx.commit();
  }
}

CopyReport copy_table(pg::Transaction& source, pg::Transaction& target, const Table& table,
                      const TableName& source_name, CopyMode mode) {
  auto start = Clock::now();
  // A policy that hides rows from us must be an error, not a copy without them.
  source.exec("set local row_security = off");
  TableInfo from = read_table_info(source, source_name);
  limit_lock_wait(target);
  if (mode == CopyMode::replace) target.exec("lock table " + table.dest.sql() + " in access exclusive mode");
  TableInfo to = read_table_info(target, table.dest);
  CommonColumns columns = common_columns(from, to);
  double expected = estimated_rows(source, from);
  std::vector<Removable> indexes;
  if (expected >= kManyRows && mode == CopyMode::replace) indexes = removable_indexes(target, table.dest);
  for (auto& index : indexes) target.exec(index.drop);
  if (mode == CopyMode::replace && table.attribute("skip_truncate") == "1")
    log::info(table.name + ": skipping truncate");
  else if (mode == CopyMode::replace)
    target.exec("truncate " + to.only() + table.dest.sql());
  log::info(table.name + ": start copy", {{"format", columns.binary ? "binary" : "text"}});
  std::string format = columns.binary ? " with (format binary)" : "";
  std::string rows = from.partitioned || columns.generated
                         ? "(select " + columns.names + " from " + from.only() + from.name.sql() + ")"
                         : from.name.sql() + " (" + columns.names + ")";
  CopyReport report;
  {
    pg::CopyOut out(source, "copy " + rows + " to stdout" + format);
    pg::CopyIn in(target, "copy " + table.dest.sql() + " (" + columns.names + ") from stdin" + format);
    report.totals = pg::relay(out, in, CopyProgress(table.name, expected));
  }
  SKYTOOLS_FAILPOINT("copy.after_data");
  report.snapshot = source.value<std::string>("select pg_catalog.txid_current_snapshot()");
  auto copied = Clock::now();
  for (auto& index : indexes) {
    log::info(table.name + ": creating " + index.name);
    target.exec(index.create);
  }
  using std::chrono::duration_cast;
  log::info(table.name + ": copy finished: " + std::to_string(report.totals.bytes) + " bytes, " +
                std::to_string(report.totals.rows) + " rows",
            {{"copy_ms", duration_cast<milliseconds>(copied - start).count()},
             {"index_ms", duration_cast<milliseconds>(Clock::now() - copied).count()}});
  return report;
}

}  // namespace skytools::londiste
