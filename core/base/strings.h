#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace skytools {

std::vector<std::string> split(std::string_view text, char separator);  ///< parts trimmed of blanks; "" gives none
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);  ///< without blanks and line ends around
std::string lower(std::string_view text);      ///< ASCII only

/// Shell-like match of a whole name: `*` any run, `?` one character; nothing else is special.
bool glob_match(std::string_view pattern, std::string_view name);

/// Picks from `known` what the patterns name, in the order of `known`. A pattern without a dot means public.PATTERN
/// (`*` alone means everything), `!PATTERN` takes away. A pattern without `*`/`?` that matches nothing is put into
/// `unmatched`.
std::vector<std::string> select_names(const std::vector<std::string>& patterns, const std::vector<std::string>& known,
                                      std::vector<std::string>& unmatched);

/// The closest of `choices` to a mistyped word, or "" when nothing is near.
std::string closest(std::string_view word, const std::vector<std::string>& choices);

}  // namespace skytools
