#pragma once
#include <string>
#include <string_view>

namespace skytools::log {

/// Line ends and other control characters as `\n`, `\t`, `\x1b`: a line of the log stays a line.
std::string escape_control(std::string_view text);

/// As it is when it is one plain word; else in double quotes with `\"` and `\\` and control characters escaped.
std::string quote_if_needed(std::string_view text);

/// The text with U+FFFD for zero bytes and bytes that aren't UTF-8: something every UTF-8 database takes.
std::string sound_text(std::string_view text);

/// A JSON string; bytes that aren't UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

}  // namespace skytools::log
