#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace skytools::pgq {

/// Gives the next bytes, up to the size of the buffer; 0 at the end. May wait.
using ByteSource = std::function<std::size_t(char* buffer, std::size_t size)>;

/// A line or field may be this long; an input without line ends must not eat all memory.
inline constexpr std::size_t kLongestText = 256 << 20;

/// Bytes one by one, counting lines. A byte order mark at the start is left out.
class ByteReader {
 public:
  static constexpr int kEnd = -1;
  explicit ByteReader(ByteSource source) : source_(std::move(source)) {}
  int peek();                                           ///< the next byte, kEnd at the end
  int next();                                           ///< and goes past it
  std::int64_t line() const noexcept { return line_; }  ///< of the next byte, from 1

 private:
  bool fill();
  ByteSource source_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  bool started_ = false;
};

/// Records of RFC 4180: fields separated by commas, in double quotes where they hold commas, line ends or quotes (which
/// are doubled); records end with CR LF or LF. Empty lines are skipped. A field without quotes that is empty is NULL,
/// `""` is the empty text.
class CsvReader {
 public:
  using Record = std::vector<std::optional<std::string>>;
  explicit CsvReader(ByteReader& in) : in_(in) {}
  /// The next record; nullopt at the end. @throws Error  saying what is wrong, without the line
  std::optional<Record> next();
  std::int64_t line() const noexcept { return line_; }  ///< where the record began

 private:
  bool end_of_record();  ///< consumes a line end, or sees the end
  std::string quoted();
  std::string plain();

  ByteReader& in_;
  std::int64_t line_ = 0;
};

}  // namespace skytools::pgq
