#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/pgq/api.h"

namespace skytools::consumer {

/// What pgq_ext of a target keeps beside a consumer's position: the last tick and its time. Tick and batch ids begin at
/// 1 in every queue and every database; consumers of two of them that write to one target under the same name would
/// take each other's position for their own, and skip what they never applied. No two queues make a tick at the same
/// time.
///
/// Kept under the subconsumer's name with a suffix; the original's consumers know nothing of it.
class TargetMark {
 public:
  TargetMark() = default;
  TargetMark(std::string consumer, std::string member) : consumer_(std::move(consumer)), member_(std::move(member)) {}

  /// Waits until no other session applies a batch for this consumer, until the end of the transaction: what is read
  /// behind it about the position stays true.
  void lock(pg::Transaction& target) const;
  /// The tick remembered; nullopt: none is, as where the original's consumer was at work.
  std::optional<std::int64_t> tick(pg::Transaction& target) const;
  /// Is the tick remembered that one? True when none is.
  bool fits(pg::Transaction& target, std::int64_t tick, const std::string& time) const;
  void remember(pg::Transaction& target, const pgq::Batch& batch) const;
  void forget(pg::Transaction& target) const;

 private:
  std::string consumer_, member_;
};

}  // namespace skytools::consumer
