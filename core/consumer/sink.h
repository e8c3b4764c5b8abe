#pragma once
#include <functional>

#include "core/consumer/source.h"
#include "core/pgq/event_stream.h"

namespace skytools::consumer {

/// What surrounds a running consumer.
struct Surroundings {
  StopToken& stop;
  std::function<void()> ready = [] {};  ///< the source is there and the consumer registered
  std::function<void()> alive = [] {};  ///< called at least once a second while something is waited for
};

/// One batch on its way through a sink.
struct Work {
  Source& source;
  const pgq::Batch& batch;
  pgq::EventStream& events;
  const Surroundings& around;
  std::function<void()> rewind = {};  ///< the first event comes next again; not for sinks that stream
  Answers answers = {};
  bool finished = false;  ///< the batch is closed already

  /// Answers and closes the batch inside a transaction of the source's connection. @throws Error  when the batch isn't
  /// ours any more: `tx` must not be committed
  void finish(pg::Transaction& tx);
};

/// Where the events of a consumer go. A batch that process() leaves with an exception comes again.
class Sink {
 public:
  virtual ~Sink() = default;
  /// A new session with the source has begun. The consumer need not be registered yet.
  virtual void start(Source&) {}
  /// False: the batch was handled before, an earlier end came just before it could be closed. Its events aren't read.
  virtual bool wanted(Source&, const pgq::Batch&) { return true; }
  /// Handles every event; those that aren't answered otherwise are done.
  virtual void process(Work& work) = 0;
  /// Does it take the events as fast as they come? Then they are passed on directly, else they are fetched first, so
  /// that no snapshot is held while it works.
  virtual bool streams() const { return false; }
  /// A planned end, no batch in hand.
  virtual void stop(const Surroundings&) {}
};

}  // namespace skytools::consumer
