#pragma once
#include "core/consumer/position.h"
#include "core/consumer/position_file.h"
#include "core/consumer/sink.h"

namespace skytools::consumer {

/// Puts a position file beside another sink: whatever the events do there, the file tells which tick came last, and at
/// the start of each session the queue is brought to it.
class LocalSink : public Sink {
 public:
  LocalSink(PositionFile file, Sink& inner) : file_(std::move(file)), inner_(inner) {}
  void start(Source& source) override;
  bool wanted(Source& source, const pgq::Batch& batch) override;
  void process(Work& work) override;
  bool streams() const override { return inner_.streams(); }
  void stop(const Surroundings& around) override { inner_.stop(around); }

 private:
  std::string keeper() const { return "tracking file '" + file_.path() + "'"; }
  void reconcile(Source& source);

  PositionFile file_;
  Sink& inner_;
};

}  // namespace skytools::consumer
