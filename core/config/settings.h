#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/option.h"

namespace skytools::config {

/// One value and where it came from.
struct Value {
  std::vector<std::string> items;  ///< one element, except for lists
  std::string origin;              ///< "flag --queue", "env SKYTOOLS_QUEUE", "job.yaml:12", "built-in", …
};

/// What one layer says: key → value.
using Layer = std::map<std::string, Value, std::less<>>;

/// The merged settings of one command or job. Values are checked against their types when merged, so the getters don't
/// fail. Asking for a key that no table declares is a mistake of the program: std::logic_error.
class Settings {
 public:
  Settings() = default;
  /// Merges: earlier layers win over later ones; the built-in values come last.
  /// @throws UsageError  naming the origin of a value that does not fit its type
  Settings(std::vector<Options> tables, const std::vector<Layer>& layers);

  /// Is the key declared and set to something other than nothing? True for a non-empty built-in value too.
  bool has(std::string_view key) const;
  /// Was it set by somebody, not only built in?
  bool given(std::string_view key) const;
  std::string text(std::string_view key) const;  ///< lists joined by ","
  std::int64_t integer(std::string_view key) const;
  std::chrono::milliseconds duration(std::string_view key) const;  ///< 0 when empty
  std::int64_t size(std::string_view key) const;                   ///< bytes
  bool boolean(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  std::string origin(std::string_view key) const;

  /// One line of `config show`: in the order of the tables, secrets masked.
  struct Shown {
    const Option* option;
    std::string value, origin;
  };
  std::vector<Shown> show() const;
  const std::vector<Options>& tables() const { return tables_; }

 private:
  const Value& at(std::string_view key) const;

  std::vector<Options> tables_;
  Layer values_;
};

/// A connection string with the passwords replaced by `***`: keyword and URI forms.
std::string mask_password(std::string_view conninfo);

}  // namespace skytools::config
