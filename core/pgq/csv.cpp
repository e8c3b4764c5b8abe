#include "core/pgq/csv.h"

#include "core/base/error.h"

namespace skytools::pgq {

namespace {
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

void append(std::string& text, int byte) {
  if (text.size() >= kLongestText) throw Error("a field is longer than " + std::to_string(kLongestText >> 20) + " MB");
  text += static_cast<char>(byte);
}
}  // namespace

bool ByteReader::fill() {
  if (at_ < buffer_.size()) return true;
  buffer_.resize(kReadBytes);
  at_ = 0;
  buffer_.resize(source_(buffer_.data(), buffer_.size()));
  if (!started_) {
    started_ = true;
    while (!buffer_.empty() && buffer_.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(buffer_)) {
      char byte;
      if (!source_(&byte, 1)) break;
      buffer_ += byte;
    }
    if (buffer_.starts_with(kByteOrderMark)) {
      at_ = kByteOrderMark.size();
      return fill();
    }
  }
  return !buffer_.empty();
}

int ByteReader::peek() { return fill() ? static_cast<unsigned char>(buffer_[at_]) : kEnd; }

int ByteReader::next() {
  int byte = peek();
  if (byte != kEnd) ++at_;
  if (byte == '\n') ++line_;
  return byte;
}

bool CsvReader::end_of_record() {
  if (in_.peek() == ByteReader::kEnd) return true;
  if (in_.peek() == '\r') {
    in_.next();
    if (in_.peek() != '\n') throw Error("a carriage return outside quotes that ends no line");
  }
  if (in_.peek() != '\n') return false;
  in_.next();
  return true;
}

std::string CsvReader::quoted() {
  std::string text;
  in_.next();
  for (;;) {
    int byte = in_.next();
    if (byte == ByteReader::kEnd) throw Error("a quoted field has no end");
    if (byte == '"') {
      if (in_.peek() != '"') return text;
      in_.next();
    }
    append(text, byte);
  }
}

std::string CsvReader::plain() {
  std::string text;
  for (;;) {
    int byte = in_.peek();
    if (byte == ByteReader::kEnd || byte == ',' || byte == '\r' || byte == '\n') return text;
    if (byte == '"') throw Error("a quote inside a field that does not begin with one");
    append(text, in_.next());
  }
}

std::optional<CsvReader::Record> CsvReader::next() {
  while (in_.peek() != ByteReader::kEnd && end_of_record()) {
  }
  line_ = in_.line();
  if (in_.peek() == ByteReader::kEnd) return std::nullopt;
  Record record;
  for (;;) {
    if (in_.peek() == '"') {
      record.emplace_back(quoted());
    } else {
      std::string text = plain();
      text.empty() ? record.emplace_back(std::nullopt) : record.emplace_back(std::move(text));
    }
    if (end_of_record()) return record;
    if (in_.next() != ',') throw Error("text behind the closing quote of a field");
  }
}

}  // namespace skytools::pgq
