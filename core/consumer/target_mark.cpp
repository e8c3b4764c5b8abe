#include "core/consumer/target_mark.h"

namespace skytools::consumer {

namespace {
constexpr int kLockClass = 1397446520;  // docs/notifications.md
}

void TargetMark::lock(pg::Transaction& target) const {
  target.exec("select pg_advisory_xact_lock($1, hashtext($2))", kLockClass, consumer_ + "/" + member_);
}

std::optional<std::int64_t> TargetMark::tick(pg::Transaction& target) const {
  return target.value<std::optional<std::int64_t>>("select pgq_ext.get_last_tick($1, $2 || '#tick')", consumer_,
                                                   member_);
}

// Times as milliseconds: some servers hold them as floating point, so the last digit may differ.
bool TargetMark::fits(pg::Transaction& target, std::int64_t tick, const std::string& time) const {
  return target.value<bool>(
      "select coalesce(m.tick = $3 and abs(m.ms - (extract(epoch from $4::timestamptz) * 1000)::bigint) <= 1, true)"
      " from (select pgq_ext.get_last_tick($1, $2 || '#tick'), pgq_ext.get_last_tick($1, $2 || '#time')) m (tick, ms)",
      consumer_, member_, tick, time);
}

void TargetMark::remember(pg::Transaction& target, const pgq::Batch& batch) const {
  target.exec(
      "select pgq_ext.set_last_tick($1, $2 || '#tick', $3),"
      " pgq_ext.set_last_tick($1, $2 || '#time', (extract(epoch from $4::timestamptz) * 1000)::bigint)",
      consumer_, member_, batch.tick, batch.tick_time);
}

void TargetMark::forget(pg::Transaction& target) const {
  target.exec("select pgq_ext.set_last_tick($1, $2 || '#tick', null), pgq_ext.set_last_tick($1, $2 || '#time', null)",
              consumer_, member_);
}

}  // namespace skytools::consumer
