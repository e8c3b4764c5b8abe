#include "core/pgq/new_event.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::pgq {

namespace {

/// Written by `consumer print` and `queue peek`, made by the server for a new event.
constexpr std::string_view kServerFields[] = {"id", "time", "txid", "retry", "queue", "consumer", "batch", "tick"};

using nlohmann::json;

std::string json_text(const std::string& value) { return json(value).dump(); }

/// Takes the parser's events apart: members of the outer object are fields, what is nested in one is written again.
class Handler : public nlohmann::json_sax<json> {
 public:
  NewEvent event;

  bool null() override { return depth_ > 1 ? raw("null") : take(std::nullopt); }
  bool boolean(bool v) override { return scalar(v ? "true" : "false"); }
  bool number_integer(number_integer_t v) override { return scalar(std::to_string(v)); }
  bool number_unsigned(number_unsigned_t v) override { return scalar(std::to_string(v)); }
  bool number_float(number_float_t, const string_t& written) override { return scalar(written); }
  bool string(string_t& v) override {
    if (depth_ > 1) return raw(json_text(v));
    check_text(v);
    return take(std::move(v));
  }
  bool binary(binary_t&) override { return false; }  // never in JSON text
  bool start_object(std::size_t) override { return open('{'); }
  bool start_array(std::size_t) override { return open('['); }
  bool end_object() override { return close('}'); }
  bool end_array() override { return close(']'); }
  bool key(string_t& name) override {
    if (depth_ > 1) {
      comma();
      text_ += json_text(name) + ":";
      fresh_ = true;
      return true;
    }
    name_ = name;
    field_ = field_named(name);
    if (field_ && std::exchange(seen_[*field_], true)) throw Error("key '" + name + "' is given twice");
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    std::string why = e.what();
    auto at = why.find("syntax error");
    throw Error("not JSON at byte " + std::to_string(position) +
                (at == std::string::npos ? "" : ": " + why.substr(at)));
  }

 private:
  void comma() {
    if (!fresh_) text_ += ',';
    fresh_ = false;
  }
  bool raw(const std::string& text) {
    comma();
    text_ += text;
    return true;
  }
  bool scalar(const std::string& text) { return depth_ > 1 ? raw(text) : take(text); }
  bool take(std::optional<std::string> value) {
    if (depth_ == 0) throw Error("not a JSON object");
    if (field_) field(event, *field_) = std::move(value);
    return true;
  }
  bool open(char bracket) {
    if (depth_ == 0 && bracket != '{') throw Error("not a JSON object");
    if (depth_ == 1) text_.clear(), fresh_ = true;
    if (depth_ >= 1) comma(), text_ += bracket, fresh_ = true;
    ++depth_;
    return true;
  }
  bool close(char bracket) {
    --depth_;
    if (depth_ == 0) return true;
    text_ += bracket;
    fresh_ = false;
    return depth_ > 1 ? true : take(text_);
  }

  int depth_ = 0;  ///< 1: in the event's object
  std::string name_, text_;
  bool fresh_ = true;  ///< no comma is due
  std::optional<std::size_t> field_;
  std::array<bool, kEventFields.size()> seen_{};
};

/// Bytes of the character that begins with `first`; 0 when none does.
std::size_t length_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/// Neither an overlong form, nor half of a surrogate pair, nor beyond U+10FFFF.
bool sound(std::string_view c) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(c[i]); };
  for (std::size_t i = 1; i < c.size(); ++i)
    if ((byte(i) & 0xc0) != 0x80) return false;
  if (byte(0) == 0xe0) return byte(1) >= 0xa0;
  if (byte(0) == 0xed) return byte(1) < 0xa0;
  if (byte(0) == 0xf0) return byte(1) >= 0x90;
  if (byte(0) == 0xf4) return byte(1) < 0x90;
  return true;
}

}  // namespace

std::optional<std::size_t> field_named(std::string_view name) {
  auto found = std::find(kEventFields.begin(), kEventFields.end(), name);
  if (found != kEventFields.end()) return static_cast<std::size_t>(found - kEventFields.begin());
  for (auto known : kServerFields)
    if (known == name) return std::nullopt;
  std::string near = closest(name, {kEventFields.begin(), kEventFields.end()});
  throw Error("unknown field '" + std::string(name) + "'; " +
              (near.empty() ? "an event has type, data, extra1 to extra4" : "did you mean '" + near + "'?"));
}

void check_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == 0) throw Error("a text cannot hold a zero byte");
    std::size_t length = length_of(static_cast<unsigned char>(text[at]));
    if (!length || at + length > text.size() || !sound(text.substr(at, length)))
      throw Error("not UTF-8 at byte " + std::to_string(at + 1) + " of the value");
    at += length;
  }
}

NewEvent parse_json_event(std::string_view line) {
  Handler handler;
  json::sax_parse(line.begin(), line.end(), &handler);
  return std::move(handler.event);
}

}  // namespace skytools::pgq
