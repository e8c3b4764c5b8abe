#pragma once
#include <chrono>
#include <string>
#include <string_view>

namespace skytools {

/// Reads "250ms", "1.5s", "2h30m", "1d"; a bare number is in `bare_unit`.
/// @throws UsageError  naming the text
std::chrono::milliseconds parse_duration(std::string_view text,
                                         std::chrono::milliseconds bare_unit = std::chrono::seconds(1));

/// For people: "0s", "250ms", "1.5s", "3m20s", "2h5m".
std::string format_duration(std::chrono::milliseconds d);

/// Reads "100", "64kB", "64MB", "1GB" (powers of 1024). @throws UsageError  naming the text
std::int64_t parse_size(std::string_view text);

/// For people: "812 B", "1.2 MB".
std::string format_size(std::int64_t bytes);

}  // namespace skytools
