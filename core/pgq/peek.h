#pragma once
#include <functional>

#include "core/pgq/admin.h"
#include "core/pgq/new_event.h"

namespace skytools::pgq {

/// An event and the tick whose batch would bring it.
struct PeekedEvent {
  StoredEvent event;
  std::int64_t tick = 0;
};

/// The next events of a consumer, in the order in which it would get them, without opening a batch: those between its
/// last finished tick and the queue's newest one; the open batch first, if there is one.
/// Needs the rights of pgq_reader. @return how many were given; stops at `limit`
std::int64_t peek(pg::Transaction& tx, const QueueInfo& queue, const ConsumerInfo& consumer, std::int64_t limit,
                  const std::function<void(const PeekedEvent&)>& give);

}  // namespace skytools::pgq
