#include "core/consumer/position_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/strings.h"

namespace skytools::consumer {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw Error("cannot " + what + " tracking file '" + path + "': " + std::strerror(errno));
}

struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

/// A name made or changed in a folder lasts only once the folder is on disk.
void sync_folder(const std::string& path) {
  Descriptor folder(open(fs::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd < 0 || fsync(folder.fd) != 0) fail("save", path);
}

}  // namespace

PositionFile::PositionFile(std::string path) : path_(fs::absolute(path)) {
  fs::path folder = fs::path(path_).parent_path();
  if (!fs::is_directory(folder)) throw Error("the folder of the tracking file does not exist: " + folder.string());
  if (fs::exists(path_) && !fs::is_regular_file(path_)) throw Error("tracking file '" + path_ + "' is no plain file");
}

std::optional<std::int64_t> PositionFile::read() const {
  std::ifstream in(path_);
  if (!in) {
    if (fs::exists(path_)) fail("read", path_);
    return std::nullopt;
  }
  std::string text((std::istreambuf_iterator<char>(in)), {});
  std::string_view digits = trim(text);
  if (digits.empty()) return std::nullopt;
  std::int64_t tick = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), tick);
  if (error != std::errc{} || end != digits.data() + digits.size() || tick <= 0)
    throw Error("tracking file '" + path_ + "' does not hold a tick id; --reset goes on where the queue stands");
  return tick;
}

std::string PositionFile::write_beside(std::int64_t tick) const {
  std::string text = std::to_string(tick), fresh = path_ + ".new";
  Descriptor file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.fd < 0 || ::write(file.fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.fd) != 0)
    fail("write", fresh);
  return fresh;
}

void PositionFile::require_writable() const { unlink(write_beside(INT64_MAX).c_str()); }

void PositionFile::write(std::int64_t tick) const {
  std::string fresh = write_beside(tick);
  SKYTOOLS_FAILPOINT("consumer.before_rename");
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) fail("replace", path_);
  sync_folder(path_);
}

void PositionFile::remove() const {
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) fail("remove", path_);
  sync_folder(path_);
}

}  // namespace skytools::consumer
