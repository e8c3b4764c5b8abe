#include "core/config/ini.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::config {

namespace {

constexpr int kDeepest = 10;  ///< values that refer to values

/// Copies `text` with each reference replaced. A reference is `mark` + `open` … `close`; the mark doubled is the mark.
std::string interpolate(std::string_view text, const IniNames& names, char mark, char open, std::string_view close,
                        int depth) {
  if (depth > kDeepest) throw UsageError("values refer to each other in a circle");
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != mark) {
      out += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == mark) {
      out += mark;
      ++i;
    } else {
      std::size_t end = i + 1 < text.size() && text[i + 1] == open ? text.find(close, i) : std::string_view::npos;
      if (end == std::string_view::npos)
        throw UsageError("'" + std::string(1, mark) + "' must be written twice, or begin a reference");
      std::string name = lower(trim(text.substr(i + 2, end - i - 2)));
      auto found = names.find(name);
      if (found == names.end()) throw UsageError("refers to '" + name + "', which is not set");
      out += interpolate(found->second, names, mark, open, close, depth + 1);
      i = end + close.size() - 1;
    }
  }
  return out;
}

}  // namespace

std::string interpolate_percent(std::string_view text, const IniNames& names) {
  return interpolate(text, names, '%', '(', ")s", 0);
}

std::string interpolate_dollar(std::string_view text, const IniNames& names) {
  return interpolate(text, names, '$', '{', "}", 0);
}

const Ini::Section* Ini::find(std::string_view name) const {
  auto found = std::find_if(sections.begin(), sections.end(), [&](auto& s) { return s.name == name; });
  return found == sections.end() ? nullptr : &*found;
}

Ini Ini::parse(const std::string& text, const std::string& path) {
  Ini ini{path, {}};
  std::string last_key;
  int number = 0;
  auto fail = [&](const std::string& what) { throw UsageError(path + ":" + std::to_string(number) + ": " + what); };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at), content = trim(line);
    at = end + 1;
    ++number;
    if (content.empty() || content[0] == '#' || content[0] == ';') continue;
    if ((line[0] == ' ' || line[0] == '\t') && !last_key.empty()) {
      ini.sections.back().entries[last_key].value += "\n" + std::string(content);
      continue;
    }
    if (content.front() == '[' && content.back() == ']') {
      std::string name(trim(content.substr(1, content.size() - 2)));
      if (ini.find(name)) fail("duplicate section [" + name + "]");
      ini.sections.push_back({name, number, {}});
      last_key.clear();
      continue;
    }
    std::size_t separator = content.find_first_of("=:");
    if (separator == std::string_view::npos || separator == 0) fail("neither a section nor key = value");
    if (ini.sections.empty()) fail("a key before the first section");
    last_key = lower(trim(content.substr(0, separator)));
    Entry entry{std::string(trim(content.substr(separator + 1))), number};
    if (!ini.sections.back().entries.emplace(last_key, entry).second) fail("duplicate key '" + last_key + "'");
  }
  return ini;
}

}  // namespace skytools::config
