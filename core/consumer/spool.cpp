#include "core/consumer/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/base/error.h"

namespace skytools::consumer {

namespace {

constexpr std::size_t kBlock = 64 * 1024;

[[noreturn]] void fail(const std::string& what) {
  throw Error("cannot " + what + " the temporary file of a batch in " +
              std::filesystem::temp_directory_path().string() + ": " + std::strerror(errno));
}

}  // namespace

void Spool::fill(pg::CopyOut& copy) {
  memory_.clear();
  if (memory_.capacity() > 2 * memory_limit_) std::string().swap(memory_);
  file_.reset();
  rows_ = 0;
  while (auto row = copy.next()) {
    ++rows_;
    if (!file_ && memory_.size() + row->size() <= memory_limit_)
      memory_.append(*row);
    else
      spill(*row);
  }
  if (file_ && std::fflush(file_.get()) != 0) fail("write");
  rewind();
}

void Spool::spill(std::string_view row) {
  if (!file_) {
    std::string name = std::filesystem::temp_directory_path() / "skytools_batch.XXXXXX";
    int fd = mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) fail("make");
    unlink(name.c_str());
    file_.reset(fdopen(fd, "w+"));
    if (!file_) close(fd), fail("open");
    std::setvbuf(file_.get(), nullptr, _IOFBF, kBlock);
  }
  if (std::fwrite(row.data(), 1, row.size(), file_.get()) != row.size()) fail("write");
}

std::optional<std::string_view> Spool::next() {
  if (at_ < memory_.size()) {
    std::string_view row(memory_);
    row = row.substr(at_, row.find('\n', at_) + 1 - at_);
    at_ += row.size();
    return row;
  }
  if (!file_) return std::nullopt;
  row_.clear();
  char part[8192];
  while (std::fgets(part, sizeof part, file_.get())) {
    row_ += part;  // COPY text holds no NUL
    if (row_.back() == '\n') return row_;
  }
  if (std::ferror(file_.get())) fail("read");
  return std::nullopt;
}

void Spool::rewind() {
  at_ = 0;
  if (file_ && std::fseek(file_.get(), 0, SEEK_SET) != 0) fail("read");
}

}  // namespace skytools::consumer
