#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace skytools::consumer {

/// A file that holds the last tick that was worked off, in decimal. It is replaced as a whole and forced to disk, so
/// after a crash it holds the new tick or the old one. The original's LocalConsumer reads and writes the same.
class PositionFile {
 public:
  /// @throws Error  when its folder isn't there
  explicit PositionFile(std::string path);
  /// nullopt: there is no such file, or it is empty. @throws Error  when it holds something else
  std::optional<std::int64_t> read() const;
  void write(std::int64_t tick) const;
  /// @throws Error  when a write() would fail now: no space, no right
  void require_writable() const;
  void remove() const;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string write_beside(std::int64_t tick) const;  ///< @return the new file's name

  std::string path_;
};

}  // namespace skytools::consumer
