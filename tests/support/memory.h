#pragma once
#include <cstdint>

namespace skytools::test {

/// The most memory this process has held since the last reset_memory_peak(), in bytes.
std::int64_t memory_peak();
/// Starts a new measurement at what is held now. @return what is held now
std::int64_t reset_memory_peak();

}  // namespace skytools::test
