#include "core/base/quote.h"

namespace skytools {

namespace {
std::string doubled(std::string_view text, char quote, bool backslash) {
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote || (backslash && c == '\\')) out += c;
    out += c;
  }
  return out += quote;
}
}  // namespace

std::string quote_ident(std::string_view name) { return doubled(name, '"', false); }

std::string quote_literal(std::string_view value) {
  bool backslash = value.find('\\') != std::string_view::npos;
  return (backslash ? "E" : "") + doubled(value, '\'', backslash);
}

TableName TableName::parse(std::string_view text) {
  auto dot = text.find('.');
  if (dot == std::string_view::npos) return {"public", std::string(text)};
  return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

}  // namespace skytools
