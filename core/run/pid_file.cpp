#include "core/run/pid_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::run {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw Error("cannot " + what + " pid file '" + path + "': " + std::strerror(errno));
}

struct flock whole_file(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// 0 when the file holds no number (yet).
pid_t read_number(int fd) {
  char text[32];
  ssize_t n = pread(fd, text, sizeof text, 0);
  if (n <= 0) return 0;
  std::string_view word = trim({text, static_cast<std::size_t>(n)});
  pid_t pid = 0;
  std::from_chars(word.data(), word.data() + word.size(), pid);
  return pid;
}

/// False when it was removed, or replaced by another file, since it was opened.
bool still_there(int fd, const std::string& path) {
  struct stat ours, there;
  return fstat(fd, &ours) == 0 && stat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
         ours.st_dev == there.st_dev;
}

}  // namespace

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  for (;;) {
    fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) fail("open", path_);
    struct flock lock = whole_file(F_WRLCK);
    if (fcntl(fd_, F_OFD_SETLK, &lock) < 0) {
      int why = errno;
      pid_t pid = read_number(fd_);
      close(fd_);
      errno = why;
      if (why != EAGAIN && why != EACCES) fail("lock", path_);
      throw Refused("already running" + (pid ? " as process " + std::to_string(pid) : "") + " (pid file '" + path_ +
                    "'); end it with --stop");
    }
    if (still_there(fd_, path_)) {
      if (ftruncate(fd_, 0) < 0) fail("write", path_);  // a stale number must not pass for ours
      return;
    }
    close(fd_);  // its holder ended and removed it between our open and our lock
  }
}

PidFile::~PidFile() {
  if (owned_) unlink(path_.c_str());
  close(fd_);
}

void PidFile::write() {
  std::string text = std::to_string(getpid()) + "\n";
  if (ftruncate(fd_, 0) < 0 || pwrite(fd_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    fail("write", path_);
}

std::optional<pid_t> pid_file_holder(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return std::nullopt;
    fail("open", path);
  }
  struct flock lock = whole_file(F_RDLCK);
  bool held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  pid_t pid = held ? read_number(fd) : 0;
  close(fd);
  return pid > 0 ? std::optional(pid) : std::nullopt;
}

}  // namespace skytools::run
