#include <cctype>

#include "core/base/strings.h"
#include "core/config/settings.h"

namespace skytools::config {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// End of a keyword's value in a libpq string: quoted with backslash escapes, or up to a blank or (in URI parameters)
/// `&`.
std::size_t value_end(std::string_view text, std::size_t at) {
  bool quoted = at < text.size() && text[at] == '\'';
  for (std::size_t i = at + quoted; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (quoted && text[i] == '\'') {
      return i + 1;
    } else if (!quoted && (std::isspace(static_cast<unsigned char>(text[i])) || text[i] == '&')) {
      return i;
    }
  }
  return text.size();
}

/// `password = x`, `sslpassword=x`: the values of keywords that end in "password".
std::string mask_keywords(std::string_view text) {
  constexpr std::string_view kKeyword = "password";
  std::string low = lower(text), out;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = low.find(kKeyword, at)) != std::string::npos;) {
    at += kKeyword.size();
    std::size_t equals = low.find_first_not_of(" \t", at);
    if (equals == std::string::npos || low[equals] != '=') continue;
    std::size_t value = low.find_first_not_of(" \t", equals + 1);
    if (value == std::string::npos) break;
    out.append(text.substr(copied, value - copied)).append("***");
    copied = at = value_end(text, value);
  }
  return out.append(text.substr(copied));
}

/// `scheme://user:password@host`. The password may hold `@`, `/` and `:`; up to the last `@` of the word is masked
/// rather too much than too little.
std::string mask_uris(std::string_view text) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = text.find("://", at)) != std::string_view::npos;) {
    bool scheme = at > 0 && is_word(text[at - 1]);
    at += 3;
    std::size_t end = std::min(text.find_first_of(" \t\n'\"", at), text.size());
    std::string_view word = text.substr(at, end - at);
    std::size_t sign = word.rfind('@'), colon = word.find(':');
    if (!scheme || sign == std::string_view::npos || colon == std::string_view::npos || colon > sign) continue;
    out.append(text.substr(copied, at + colon + 1 - copied)).append("***");
    copied = at += sign;
  }
  return out.append(text.substr(copied));
}

}  // namespace

std::string mask_password(std::string_view text) { return mask_keywords(mask_uris(text)); }

}  // namespace skytools::config
