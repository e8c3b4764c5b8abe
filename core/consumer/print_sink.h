#pragma once
#include "core/consumer/event_json.h"
#include "core/consumer/sink.h"

namespace skytools::consumer {

/// Writes events as JSON lines into a descriptor. A batch is finished when all of it has been taken by the other side.
class PrintSink : public Sink {
 public:
  PrintSink(int fd, const Reader& reader) : fd_(fd), json_(reader.queue, reader.name) {}
  /// @throws Stopped  the reader of a pipe is gone: nothing to do any more
  void process(Work& work) override;

 private:
  void write(const Surroundings& around);

  int fd_;
  EventJson json_;
  std::string text_;
};

}  // namespace skytools::consumer
