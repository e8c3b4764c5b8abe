#include "core/consumer/statement.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/error.h"

namespace skytools::consumer {

namespace {

constexpr int kMostParameters = 9;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t after(const std::string& text, std::string_view end, std::size_t from) {
  auto at = text.find(end, from);
  return at == std::string::npos ? text.size() : at + end.size();
}

std::size_t skip_quoted(const std::string& text, std::size_t at) {
  char quote = text[at];
  bool escapes =
      quote == '\'' && at > 0 && (text[at - 1] == 'E' || text[at - 1] == 'e') && (at < 2 || !is_word(text[at - 2]));
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (escapes && text[i] == '\\')
      ++i;
    else if (text[i] == quote)
      return i + 1;  // a doubled quote simply opens the next piece
  }
  return text.size();
}

std::size_t skip_comment(const std::string& text, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i + 1 < text.size(); ++i) {
    if (text.compare(i, 2, "/*") == 0)
      ++depth, ++i;
    else if (text.compare(i, 2, "*/") == 0 && (++i, --depth == 0))
      return i + 1;
  }
  return text.size();
}

/// `$tag$ … $tag$` that begins here, or `at` when none does.
std::size_t skip_dollar_quoted(const std::string& text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && is_word(text[end])) ++end;
  if (end >= text.size() || text[end] != '$') return at;
  return after(text, text.substr(at, end + 1 - at), end + 1);
}

/// Behind what may contain a `$` that is no parameter; `at` itself when nothing of the kind begins there.
std::size_t skip_opaque(const std::string& text, std::size_t at) {
  char c = text[at];
  if (c == '\'' || c == '"') return skip_quoted(text, at);
  if (text.compare(at, 2, "--") == 0) return after(text, "\n", at);
  if (text.compare(at, 2, "/*") == 0) return skip_comment(text, at);
  bool in_name = at > 0 && (is_word(text[at - 1]) || text[at - 1] == '$');
  if (c == '$' && !in_name && at + 1 < text.size() && !is_digit(text[at + 1])) return skip_dollar_quoted(text, at);
  return at;
}

}  // namespace

Statement Statement::parse(const std::string& text) {
  Statement out;
  for (std::size_t at = 0; at < text.size();) {
    if (std::size_t end = skip_opaque(text, at); end > at) {
      out.sql += text.substr(at, end - at);
      at = end;
      continue;
    }
    bool parameter =
        text[at] == '$' && at + 1 < text.size() && is_digit(text[at + 1]) && (at == 0 || !is_word(text[at - 1]));
    if (!parameter) {
      out.sql += text[at++];
      continue;
    }
    std::size_t end = at + 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    int column = end - at > 3 ? 0 : std::stoi(text.substr(at + 1, end - at - 1));
    if (column < 1 || column > kMostParameters)
      throw UsageError("there is no parameter " + text.substr(at, end - at) + "; an event has $1 to $9");
    auto found = std::find(out.columns.begin(), out.columns.end(), column);
    if (found == out.columns.end()) found = out.columns.insert(found, column);
    out.sql += "$" + std::to_string(found - out.columns.begin() + 1);
    at = end;
  }
  return out;
}

Parameters::Parameters(const Statement& statement, const pgq::Event& e)
    : id_(std::to_string(e.id)), retry_(e.retry ? std::to_string(*e.retry) : "") {
  auto extra = [&e](std::size_t i) { return e.extra[i] ? e.extra[i]->c_str() : nullptr; };
  const std::array<const char*, kMostParameters> columns{
      e.data_null ? nullptr : e.data.c_str(), e.type.c_str(), extra(0), id_.c_str(), e.time.c_str(),
      e.retry ? retry_.c_str() : nullptr,     extra(1),       extra(2), extra(3)};
  for (int column : statement.columns) values_.push_back(columns[static_cast<std::size_t>(column) - 1]);
}

}  // namespace skytools::consumer
