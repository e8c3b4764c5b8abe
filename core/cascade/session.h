#pragma once
#include <memory>
#include <string>

#include "core/cascade/handler.h"

namespace skytools::cascade {

/// The connections of a worker and what is known about its node, from connect to the first error.
class Session {
 public:
  /// Connects to the local node and takes the lock that keeps a second worker away. `failed`: the last attempt ended in
  /// an error, which stays visible until something went well. @throws Refused  another one runs; Error
  Session(const WorkerSettings& settings, StopToken& stop, const std::function<void()>& alive, const bool& failed);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Reads the node's state, if it may have changed, and tells that it was seen. False: paused, nothing to do now.
  bool acknowledge();
  /// Connects to the provider that the state names; on a root to none.
  void follow_provider();
  /// Up to `d`, until something is told on a connection, or a stop.
  void wait(milliseconds d);

  const WorkerSettings& settings() const { return settings_; }
  WorkerContext& context() { return context_; }
  const WorkerState& state() const { return context_.state; }
  const Duties& duties() const { return context_.duties; }
  pg::Connection& target() { return target_; }
  pg::Connection& source() { return *source_; }

 private:
  bool still_valid();
  bool provider_marked_dead();
  void take_notifications();
  void on_silence();

  const WorkerSettings& settings_;
  const bool& failed_;
  pg::Connection target_;
  std::unique_ptr<pg::Connection> source_;
  std::string source_name_, source_location_;
  WorkerContext context_;
  Clock::time_point state_due_{};  ///< when the node's state is read again at the latest
};

/// State of the node's worker or of the cascaded consumer that `settings` name. @throws Error  naming what is missing
WorkerState read_state(pg::Transaction& tx, const WorkerSettings& settings);

/// Takes the lock for the life of the connection. @throws Refused  the worker or consumer is running
void lock_out_others(pg::Connection& local, const WorkerSettings& settings);

/// Connects to the node that `state` names as provider.
std::unique_ptr<pg::Connection> connect_provider(const WorkerSettings& settings, const WorkerState& state,
                                                 const StopToken& stop, const std::function<void()>& alive);

}  // namespace skytools::cascade
