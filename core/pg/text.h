#pragma once
#include <optional>
#include <string>
#include <vector>

namespace skytools::pg {

/// A one-dimensional array as the text of a parameter: {"a","b",NULL}.
std::string array_text(const std::vector<std::optional<std::string>>& items);

}  // namespace skytools::pg
