#include "core/pgq/snapshot.h"

#include <charconv>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::pgq {

Snapshot Snapshot::parse(std::string_view text) {
  auto number = [&](std::string_view digits) {
    std::int64_t v = 0;
    auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
    if (ec != std::errc{} || end != digits.data() + digits.size())
      throw Error("bad snapshot '" + std::string(text) + "'");
    return v;
  };
  auto first = text.find(':'), second = text.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos)
    throw Error("bad snapshot '" + std::string(text) + "'");
  Snapshot s;
  s.xmin_ = number(text.substr(0, first));
  s.xmax_ = number(text.substr(first + 1, second - first - 1));
  for (auto& id : split(text.substr(second + 1), ',')) s.running_.push_back(number(id));
  std::sort(s.running_.begin(), s.running_.end());
  return s;
}

}  // namespace skytools::pgq
