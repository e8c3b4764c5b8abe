#include "core/pg/text.h"

namespace skytools::pg {

std::string array_text(const std::vector<std::optional<std::string>>& items) {
  std::string out = "{";
  for (auto& item : items) {
    if (out.size() > 1) out += ',';
    if (!item) {
      out += "NULL";
      continue;
    }
    out += '"';
    for (char c : *item) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

}  // namespace skytools::pg
