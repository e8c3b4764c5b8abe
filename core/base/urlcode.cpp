#include "core/base/urlcode.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"

namespace skytools {

namespace {

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<bool, 256> kLiteral = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (char c : {'_', '.', '-'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

/// Replaces `out` by the decoded text[from, to): runs of literal bytes at once.
void decode_span(std::string_view text, std::size_t from, std::size_t to, std::string& out) {
  out.clear();
  for (std::size_t i = from; i < to;) {
    std::size_t run = i;
    while (run < to && text[run] != '+' && text[run] != '%') ++run;
    out.append(text.substr(i, run - i));
    if (run == to) return;
    i = run + 1;
    if (text[run] == '+') {
      out += ' ';
      continue;
    }
    int high = run + 2 < to ? hex_digit(text[run + 1]) : -1;
    int low = run + 2 < to ? hex_digit(text[run + 2]) : -1;
    if (high < 0 || low < 0) throw Error("bad escape in row data at offset " + std::to_string(run));
    out += static_cast<char>(high * 16 + low);
    i = run + 3;
  }
}

}  // namespace

void decode_row(std::string_view data, std::vector<Field>& out) {
  std::size_t count = 0, at = 0;
  if (out.empty()) out.reserve(static_cast<std::size_t>(std::count(data.begin(), data.end(), '&')) + 1);
  while (at < data.size()) {
    std::size_t end = data.find('&', at);
    if (end == std::string_view::npos) end = data.size();
    std::size_t eq = data.substr(at, end - at).find('=');
    if (count == out.size()) out.emplace_back();
    Field& field = out[count++];
    if (eq == std::string_view::npos) {
      decode_span(data, at, end, field.name);
      field.value.reset();
    } else {
      decode_span(data, at, at + eq, field.name);
      if (!field.value) field.value.emplace();
      decode_span(data, at + eq + 1, end, *field.value);
    }
    at = end + 1;
  }
  out.resize(count);
}

std::vector<Field> decode_row(std::string_view data) {
  std::vector<Field> row;
  decode_row(data, row);
  return row;
}

std::string urlencode(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (unsigned char c : text) {
    if (kLiteral[c]) {
      out += static_cast<char>(c);
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out;
}

std::string encode_row(const std::vector<Field>& row) {
  std::string out;
  for (auto& field : row) {
    if (!out.empty()) out += '&';
    out += urlencode(field.name);
    if (field.value) out += '=' + urlencode(*field.value);
  }
  return out;
}

}  // namespace skytools
