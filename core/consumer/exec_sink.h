#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/consumer/event_json.h"
#include "core/consumer/program.h"
#include "core/consumer/sink.h"

namespace skytools::consumer {

/// What to do with an event that cannot be handled.
enum class OnError { stop, retry, dead };

/// Hands the events to a command, one JSON object per line, and takes its answers: `ack ID`, `retry ID SECONDS`,
/// `dead ID REASON`, in any order. The line protocol: docs/consumers.md §2.
///
/// The command runs on from batch to batch. Where it ends before its batch is answered the batch comes again; when that
/// goes on, the events are handed over one by one, and the one it ends at is answered as `on_error` says: an event that
/// breaks the command doesn't stop the queue.
class ExecSink : public Sink {
 public:
  ExecSink(std::string command, OnError on_error, const Reader& reader);
  void process(Work& work) override;
  void stop(const Surroundings& around) override;

 private:
  /// An event the command has been given, ids ascending.
  struct Given {
    std::int64_t id;
    bool answered = false;
  };
  void process_all(Work& work);
  void process_one_by_one(Work& work);
  /// Sends what is in input_ and takes answers. False: the command has ended.
  bool talk(Work& work);
  void give(const pgq::Event& e);
  void answer(Work& work, std::string_view line);
  Given& given(std::string_view id, std::string_view line);
  void blame(Work& work, std::int64_t id);
  [[noreturn]] void fail_ended(const Work& work);

  std::string command_;
  OnError on_error_;
  EventJson json_;
  std::unique_ptr<Program> program_;
  std::string input_;  ///< for the command, not yet taken by it
  std::vector<Given> given_;
  std::size_t open_ = 0;  ///< of given_, not answered
  std::int64_t failed_batch_ = 0;
  int failures_ = 0;         ///< ends of the command before that batch was answered
  int blamed_in_a_row_ = 0;  ///< without an answer in between: then the command is broken, not the events
};

/// @throws UsageError  on another word than stop, retry, dead
OnError parse_on_error(std::string_view word);

}  // namespace skytools::consumer
