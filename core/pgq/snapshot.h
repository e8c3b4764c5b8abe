#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skytools::pgq {

/// A txid snapshot in its text form `xmin:xmax:x1,x2`.
class Snapshot {
 public:
  /// @throws Error  on bad text
  static Snapshot parse(std::string_view text);
  /// Had that transaction ended when the snapshot was taken?
  bool visible(std::int64_t txid) const {
    return txid < xmin_ || (txid < xmax_ && !std::binary_search(running_.begin(), running_.end(), txid));
  }
  std::int64_t xmax() const { return xmax_; }

 private:
  std::int64_t xmin_ = 0, xmax_ = 0;
  std::vector<std::int64_t> running_;
};

}  // namespace skytools::pgq
