#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/cascade/session.h"

namespace skytools::cascade {

/// What is needed no more, told upwards and to the set. A branch with the attribute `sync_watermark` keeps a watermark
/// of its own instead of the set's: the least of what it, its subtree and the branches it names still need, so that
/// each of them can take the place of another. It tells its subscribers that one, and hides them from its provider.
class Watermarks {
 public:
  explicit Watermarks(Session& session) : session_(session) {}
  /// After a batch, or while one waits: everything that is due.
  void publish(const pgq::Batch& batch);
  /// On a root.
  void publish_global();
  /// The watermark this branch keeps instead of the set's; nullopt when it follows the set. For each event
  /// `pgq.global-watermark`.
  std::optional<std::int64_t> own(pg::Transaction& target);

 private:
  bool due(milliseconds period);
  void tell_provider(const std::string& node, std::int64_t watermark);
  void keep_own(const NodeInfo& info, const std::vector<std::string>& nodes);
  std::optional<std::int64_t> watermark_of(const std::string& node, const std::vector<Member>& members);

  Session& session_;
  Clock::time_point due_{};  ///< the first publication comes at once
};

/// The nodes that attribute `sync_watermark` of the local node names; empty: the node follows the set's watermark.
std::vector<std::string> sync_watermark_nodes(pg::Transaction& tx, const std::string& queue);

}  // namespace skytools::cascade
