#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/pg/copy.h"

namespace skytools::consumer {

/// The rows of one batch, read from the source as fast as it gives them, so that no transaction (and no snapshot, which
/// would hold back vacuum) stays open there while they are worked on. Up to a limit in memory, beyond it in a nameless
/// temporary file.
class Spool {
 public:
  /// @param memory  bytes kept in memory
  explicit Spool(std::size_t memory) : memory_limit_(memory) {}
  /// Takes all rows. @throws Error  when the temporary file cannot be made or written
  void fill(pg::CopyOut& copy);
  /// The next row with its line end, valid until the next call; nullopt at the end.
  std::optional<std::string_view> next();
  void rewind();
  std::int64_t rows() const noexcept { return rows_; }

 private:
  struct CloseFile {
    void operator()(std::FILE* f) const noexcept { std::fclose(f); }
  };
  void spill(std::string_view row);

  std::size_t memory_limit_, at_ = 0;
  std::int64_t rows_ = 0;
  std::string memory_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::string row_;  ///< one that was read back from the file
};

}  // namespace skytools::consumer
