#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace skytools::config {

/// An .ini document: `key = value` or `key: value`, comments from `#` or `;` at the start of a line, indented lines
/// continue the value before them. Keys are lower-cased.
struct Ini {
  struct Entry {
    std::string value;
    int line;
  };
  struct Section {
    std::string name;
    int line;
    std::map<std::string, Entry, std::less<>> entries;
  };
  std::string path;
  std::vector<Section> sections;

  const Section* find(std::string_view name) const;

  /// @throws UsageError  with path:line: no section, duplicate section or key, a line that is neither
  static Ini parse(const std::string& text, const std::string& path);
};

/// Names a value may refer to.
using IniNames = std::map<std::string, std::string, std::less<>>;

/// Replaces `%(name)s` and `%%`. @throws UsageError  naming the missing name
std::string interpolate_percent(std::string_view text, const IniNames& names);
/// Replaces `${name}`, `${section:name}` (looked up as "section:name") and `$$`.
std::string interpolate_dollar(std::string_view text, const IniNames& names);

}  // namespace skytools::config
