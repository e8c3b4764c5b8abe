#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skytools {

/// One column of a decoded row; a name without `=` in the text is NULL.
struct Field {
  std::string name;
  std::optional<std::string> value;
  bool operator==(const Field&) const = default;
};

/// Decodes `name=value` pairs joined by `&`: `+` is a space, `%xx` a byte, a name without `=` is NULL, `name=` is the
/// empty string. The empty text is the empty row. Source: the logutriga format, docs/formats.md
/// §2.
/// @throws Error  naming the offset of a bad escape
std::vector<Field> decode_row(std::string_view data);

/// The same into `out`, reusing its strings: no allocation once they are large enough (the apply path).
void decode_row(std::string_view data, std::vector<Field>& out);

/// Encodes as the capture triggers do: `0-9A-Za-z_.-` literal, space as `+`, all else lower-case `%xx`.
std::string urlencode(std::string_view text);
std::string encode_row(const std::vector<Field>& row);

}  // namespace skytools
