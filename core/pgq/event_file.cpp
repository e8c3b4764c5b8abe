#include "core/pgq/event_file.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::pgq {

namespace {

/// Adds the line to what is wrong with it.
template <class F>
auto at_line(const std::int64_t& line, F&& work) {
  try {
    return work();
  } catch (const Stopped&) {
    throw;
  } catch (const Error& e) {
    throw Error("line " + std::to_string(line) + ": " + e.what());
  }
}

class JsonLines : public EventFile {
 public:
  explicit JsonLines(ByteSource source) : in_(std::move(source)) {}
  std::int64_t line() const override { return line_; }

  std::optional<NewEvent> next() override {
    while (read_line()) {
      if (trim(text_).empty()) continue;
      return at_line(line_, [&] { return parse_json_event(text_); });
    }
    return std::nullopt;
  }

 private:
  /// False at the end.
  bool read_line() {
    text_.clear();
    line_ = in_.line();
    for (;;) {
      int byte = in_.next();
      if (byte == ByteReader::kEnd) return !text_.empty();
      if (byte == '\n') return true;
      if (text_.size() >= kLongestText) throw Error("line " + std::to_string(line_) + " is too long");
      text_ += static_cast<char>(byte);
    }
  }
  ByteReader in_;
  std::string text_;
  std::int64_t line_ = 0;
};

class Csv : public EventFile {
 public:
  explicit Csv(ByteSource source) : in_(std::move(source)), records_(in_) {}
  std::int64_t line() const override { return records_.line(); }

  std::optional<NewEvent> next() override {
    if (columns_.empty()) read_header();
    // The position is that of the record as soon as the reader has begun it.
    auto record = at_line(record_line(), [&] { return records_.next(); });
    if (!record) return std::nullopt;
    return at_line(records_.line(), [&] { return event_of(*record); });
  }

 private:
  const std::int64_t& record_line() {
    line_ = in_.line();
    return line_;
  }

  void read_header() {
    auto header = at_line(record_line(), [&] { return records_.next(); });
    if (!header) throw Error("the first line must name the fields: type, data, extra1 to extra4");
    at_line(records_.line(), [&] {
      std::array<bool, kEventFields.size()> seen{};
      for (auto& name : *header) {
        columns_.push_back(field_named(trim(name.value_or(""))));
        if (columns_.back() && std::exchange(seen[*columns_.back()], true))
          throw Error("field '" + *name + "' is named twice");
      }
    });
  }

  NewEvent event_of(CsvReader::Record& record) const {
    if (record.size() != columns_.size())
      throw Error(std::to_string(record.size()) + " fields, the first line names " + std::to_string(columns_.size()));
    NewEvent event;
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (!columns_[i]) continue;
      if (record[i]) check_text(*record[i]);
      field(event, *columns_[i]) = std::move(record[i]);
    }
    return event;
  }

  ByteReader in_;
  CsvReader records_;
  std::vector<std::optional<std::size_t>> columns_;  ///< field of each; nullopt: ignored
  std::int64_t line_ = 1;
};

}  // namespace

std::unique_ptr<EventFile> jsonl_file(ByteSource source) { return std::make_unique<JsonLines>(std::move(source)); }

std::unique_ptr<EventFile> csv_file(ByteSource source) { return std::make_unique<Csv>(std::move(source)); }

ByteSource read_from(int fd, const StopToken& stop) {
  return [fd, &stop](char* buffer, std::size_t size) {
    for (;;) {
      if (!stop.wait(std::chrono::hours(1), fd)) throw Stopped();
      ssize_t n = ::read(fd, buffer, size);
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR && errno != EAGAIN) throw Error(std::string("cannot read the input: ") + std::strerror(errno));
    }
  };
}

}  // namespace skytools::pgq
