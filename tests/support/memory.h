#pragma once
#include <cstdint>

namespace skytools::test {

/// To be added to a limit: a sanitizer keeps freed memory for a while, so that its use is noticed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::int64_t kMemorySlack = 1 << 30;
#else
inline constexpr std::int64_t kMemorySlack = 0;
#endif

/// The most memory this process has held since the last reset_memory_peak(), in bytes.
std::int64_t memory_peak();
/// Starts a new measurement at what is held now. @return what is held now
std::int64_t reset_memory_peak();

}  // namespace skytools::test
