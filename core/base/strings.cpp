#include "core/base/strings.h"

#include <algorithm>
#include <cctype>

namespace skytools {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  auto from = text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  if (trim(text).empty()) return parts;
  for (std::size_t at = 0; at <= text.size();) {
    auto end = std::min(text.find(separator, at), text.size());
    parts.emplace_back(trim(text.substr(at, end - at)));
    at = end + 1;
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool glob_match(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> select_names(const std::vector<std::string>& patterns, const std::vector<std::string>& known,
                                      std::vector<std::string>& unmatched) {
  std::vector<bool> chosen(known.size(), false);
  bool only_exclusions = std::all_of(patterns.begin(), patterns.end(), [](auto& p) { return p.starts_with('!'); });
  if (only_exclusions && !patterns.empty()) chosen.assign(known.size(), true);
  for (const std::string& given : patterns) {
    bool exclude = given.starts_with('!');
    std::string pattern = exclude ? given.substr(1) : given;
    if (pattern != "*" && pattern.find('.') == std::string::npos) pattern = "public." + pattern;
    bool any = false;
    for (std::size_t i = 0; i < known.size(); ++i)
      if (glob_match(pattern, known[i])) chosen[i] = !exclude, any = true;
    if (!any && !exclude && pattern.find_first_of("*?") == std::string::npos) unmatched.push_back(pattern);
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < known.size(); ++i)
    if (chosen[i]) out.push_back(known[i]);
  return out;
}

std::string closest(std::string_view word, const std::vector<std::string>& choices) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (auto& choice : choices) {
    std::vector<std::size_t> row(choice.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0]++;
      for (std::size_t j = 1; j < row.size(); ++j) {
        std::size_t change = diagonal + (word[i - 1] != choice[j - 1]);
        diagonal = row[j];
        row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best_distance) best_distance = row.back(), best = choice;
  }
  return best;
}

}  // namespace skytools
