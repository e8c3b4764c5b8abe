#pragma once
#include <sys/types.h>

#include <optional>
#include <string>

namespace skytools::run {

/// A file that holds the process number and is locked as long as the process lives. The lock tells who runs, so a file
/// left behind by a crash is no obstacle and a stale number is never signalled. It is a lock of the open file
/// description: it goes along through fork(), and can be asked for without taking it.
class PidFile {
 public:
  /// Creates and locks. @throws Refused  a living process holds it; Error  the file cannot be made
  explicit PidFile(std::string path);
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  ~PidFile();  ///< removes the file, unless released

  /// Writes our process number. @throws Error
  void write();
  /// The file belongs to another process now (the child of a fork).
  void release() noexcept { owned_ = false; }

 private:
  std::string path_;
  int fd_ = -1;
  bool owned_ = true;
};

/// The process that holds the file; nothing when it is missing or stale. @throws Error  when it cannot be read
std::optional<pid_t> pid_file_holder(const std::string& path);

}  // namespace skytools::run
