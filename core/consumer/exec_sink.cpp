#include "core/consumer/exec_sink.h"

#include <algorithm>
#include <charconv>

#include "core/base/failpoint.h"
#include "core/log/encode.h"
#include "core/log/log.h"

namespace skytools::consumer {

namespace {

constexpr std::size_t kAhead = 256 * 1024;  // bytes prepared for the command before it takes them
constexpr milliseconds kSignOfLife(1000);
constexpr milliseconds kGrace(5000);  // for the command to end after its input has
constexpr int kWholeTries = 3;        // of a batch, before its events are handed over one by one
constexpr int kBlameLimit = 5;
constexpr std::size_t kShown = 200;  // characters of a bad line in a message

std::string_view next_word(std::string_view& line) {
  auto from = std::min(line.find_first_not_of(' '), line.size());
  auto end = std::min(line.find(' ', from), line.size());
  std::string_view word = line.substr(from, end - from);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

[[noreturn]] void refuse(std::string_view line, const std::string& why) {
  throw Error("the command wrote '" + std::string(line.substr(0, kShown)) + "': " + why);
}

}  // namespace

OnError parse_on_error(std::string_view word) {
  if (word == "stop") return OnError::stop;
  if (word == "retry") return OnError::retry;
  if (word == "dead") return OnError::dead;
  throw UsageError("on_error must be stop, retry or dead, not '" + std::string(word) + "'");
}

ExecSink::ExecSink(std::string command, OnError on_error, const Reader& reader)
    : command_(std::move(command)), on_error_(on_error), json_(reader.queue, reader.name) {}

void ExecSink::process(Work& work) {
  if (failed_batch_ != work.batch.id) failed_batch_ = work.batch.id, failures_ = 0;
  json_.set_batch(work.batch);
  given_.clear();
  open_ = 0;
  try {
    if (failures_ >= kWholeTries && on_error_ != OnError::stop)
      process_one_by_one(work);
    else
      process_all(work);
  } catch (...) {
    // It may still hold events of this batch, whose late answers nobody could tell from those of the next try.
    program_.reset();
    input_.clear();
    throw;
  }
  failures_ = 0;
}

void ExecSink::process_all(Work& work) {
  bool more = true;
  while (more || open_ > 0) {
    while (more && input_.size() < kAhead) {
      const pgq::Event* e = work.events.next();
      if (e) give(*e);
      more = e != nullptr;
    }
    if (open_ == 0 && !more) return;
    if (!program_) program_ = std::make_unique<Program>(command_);
    if (!talk(work)) fail_ended(work);
  }
}

void ExecSink::process_one_by_one(Work& work) {
  while (const pgq::Event* e = work.events.next()) {
    std::int64_t id = e->id;
    give(*e);
    if (!program_) program_ = std::make_unique<Program>(command_);
    while (open_ > 0) {
      if (talk(work)) continue;
      if (open_ > 0) blame(work, id);
      program_.reset();
      input_.clear();
      open_ = 0;
    }
  }
}

bool ExecSink::talk(Work& work) {
  bool runs = program_->exchange(
      input_, [&](std::string_view line) { answer(work, line); }, kSignOfLife, work.around.stop);
  work.around.alive();
  // It cannot get its events, or not answer them: the same as if it had ended.
  bool deaf = !program_->takes_input() && !input_.empty(), mute = !program_->gives_output();
  if (!runs || !(deaf || mute) || open_ == 0) return runs;
  program_->finish(kGrace, work.around.alive);
  return false;
}

void ExecSink::give(const pgq::Event& e) {
  json_.append(e, input_);
  given_.push_back({e.id});
  ++open_;
}

ExecSink::Given& ExecSink::given(std::string_view id, std::string_view line) {
  auto value = number(id);
  if (!value) refuse(line, "'" + std::string(id) + "' is no event id");
  auto found = std::lower_bound(given_.begin(), given_.end(), *value,
                                [](const Given& g, std::int64_t wanted) { return g.id < wanted; });
  if (found == given_.end() || found->id != *value) refuse(line, "it was given no such event in this batch");
  // Producers that set ids themselves may use one twice; then it is answered twice.
  while (found->answered)
    if (++found == given_.end() || found->id != *value) refuse(line, "the event is answered already");
  return *found;
}

void ExecSink::answer(Work& work, std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  std::string_view rest = line, verb = next_word(rest), id = next_word(rest);
  if (verb != "ack" && verb != "retry" && verb != "dead")
    refuse(line, "expected 'ack ID', 'retry ID SECONDS' or 'dead ID REASON'");
  Given& event = given(id, line);
  if (verb == "retry") {
    std::string_view text = next_word(rest);
    auto seconds = number(text);
    if (!text.empty() && (!seconds || *seconds < 0 || *seconds > INT32_MAX)) refuse(line, "bad number of seconds");
    work.answers.retry(event.id, seconds);
  } else if (verb == "dead") {
    work.answers.give_up(event.id, log::sound_text(rest));
  }
  event.answered = true;
  --open_;
  blamed_in_a_row_ = 0;
  SKYTOOLS_FAILPOINT("consumer.answer");
}

void ExecSink::blame(Work& work, std::int64_t id) {
  std::string reason = "the command ended with " + program_->ending() + " at this event";
  if (program_->could_not_run() || ++blamed_in_a_row_ > kBlameLimit) fail_ended(work);
  log::warning(reason, {{"event", id}, {"batch_id", work.batch.id}});
  if (on_error_ == OnError::dead)
    work.answers.give_up(id, reason);
  else
    work.answers.retry(id);
}

void ExecSink::fail_ended(const Work& work) {
  ++failures_;
  throw Error("the command ended with " + program_->ending() + " before batch " + std::to_string(work.batch.id) +
              " was answered; the batch comes again");
}

void ExecSink::stop(const Surroundings& around) {
  if (program_) program_->finish(kGrace, around.alive);
  program_.reset();
}

}  // namespace skytools::consumer
