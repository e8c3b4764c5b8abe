#pragma once
#include <cstdint>

#include "core/londiste/flush.h"

namespace skytools::londiste {

/// How much of a transaction may be in memory. Half of it is gathered while the other half is carried out.
struct ApplyLimits {
  std::size_t max_rows = 10000;
  std::size_t max_bytes = 8u << 20;  ///< of values
};

/// Carries steps out on the target, inside one transaction: gathers, folds what may be folded, and sends each half of
/// the limits in the background while the next one is gathered. Errors of a half come up while the next one is added,
/// at the latest in flush().
class Applier {
 public:
  /// @param one_by_one  no folding: an error then names its event (used after a failed batch)
  Applier(pg::Transaction& tx, ApplySession& session, const ApplyLimits& limits, bool one_by_one);
  void add(Step&& step);
  /// Sends everything gathered and waits for it. @throws Error  `[ev_id=…,ev_txid=…]` first where one event is at fault
  void flush();
  std::int64_t applied() const noexcept { return applied_; }  ///< steps taken
  /// Updates and deletes that found no row; complete after flush().
  std::int64_t missed() const noexcept { return session_.missed - missed_before_; }

 private:
  void add_row(Step&& step, RowChange&& change);
  void add_ordered(Step&& step);
  void send();

  pg::Transaction& tx_;
  ApplySession& session_;
  ApplyLimits half_;
  bool one_by_one_;
  Gathered gathered_;
  std::int64_t applied_ = 0, missed_before_;
};

}  // namespace skytools::londiste
