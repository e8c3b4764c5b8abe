#pragma once
#include <filesystem>
#include <string>

namespace skytools::run {

/// A fresh folder (mode 0700) that goes with the object, with all that is in it.
class TempFolder {
 public:
  /// @param base  folder to make it in; empty: $TMPDIR, else /tmp   @param user  owner when we are root; empty: us
  /// @throws Error
  TempFolder(std::filesystem::path base, const std::string& prefix, const std::string& user = "");
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();

  const std::filesystem::path& path() const noexcept { return path_; }
  /// The folder stays when the object goes.
  void release() noexcept { keep_ = true; }

 private:
  std::filesystem::path path_;
  bool keep_ = false;
};

}  // namespace skytools::run
