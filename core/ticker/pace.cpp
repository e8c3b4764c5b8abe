#include "core/ticker/pace.h"

#include <algorithm>

namespace skytools::ticker {

namespace {
constexpr milliseconds kSlowest{1000};   ///< for consumers that cannot follow
constexpr milliseconds kUnhurried{100};  ///< while nobody follows, or somebody is absent
}  // namespace

milliseconds pace(const Audience& audience, milliseconds shortest) {
  milliseconds slowed = std::min(shortest * std::max<std::int64_t>(1, audience.behind_most), kSlowest);
  if (audience.absent || !audience.following) slowed = std::max(slowed, kUnhurried);
  return std::max(slowed, shortest);
}

}  // namespace skytools::ticker
