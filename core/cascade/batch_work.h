#pragma once
#include "core/cascade/mirror.h"
#include "core/cascade/session.h"
#include "core/cascade/watermarks.h"

namespace skytools::cascade {

/// Where a batch stands against the position of the local node.
enum class Standing {
  next,     ///< to be applied
  applied,  ///< committed here before a crash, only not finished on the provider
  passed,   ///< of a merge leaf: another worker has brought its data; only system events are left to be done
  ahead,    ///< its data has not come yet the other way: it waits
};

/// What came of applying a batch.
enum class Outcome {
  applied,
  begin_anew,  ///< the node was paused or moved meanwhile
  closed,      ///< the combined queue takes no events just now: its node is about to change roles
};

/// Carries batches out: applies, mirrors or merges them, and moves the position.
class BatchWork {
 public:
  BatchWork(Session& session, EventHandler& handler, Watermarks& watermarks)
      : session_(session), handler_(handler), watermarks_(watermarks) {}

  /// Makes a missing tick of a branch. @throws Error  when the batch does not join on to the position
  Standing standing(const pgq::Batch& batch);
  Outcome apply(const pgq::Batch& batch);
  /// The system events of a batch that has been passed. False: not now.
  bool pass(const pgq::Batch& batch);
  /// Makes the provider forget the batch.
  void finish(const pgq::Batch& batch);

 private:
  bool position_holds(pg::Transaction& target, const pgq::Batch& batch);
  void one_event(pg::Transaction& target, const pgq::EventStream& events, const pgq::Event& e, Mirror* mirror);
  void make_tick(const pgq::Batch& batch);
  void sign_of_life();

  Session& session_;
  EventHandler& handler_;
  Watermarks& watermarks_;
  std::int64_t max_event_id_ = 0;
  Clock::time_point alive_due_{};
};

}  // namespace skytools::cascade
