#pragma once
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace skytools::test {

/// A file of that name in a folder of its own, removed with the object.
struct TempFile {
  std::string path;
  TempFile(const std::string& name, const std::string& text) {
    std::string folder = std::filesystem::temp_directory_path() / "skytools_test.XXXXXX";
    if (!mkdtemp(folder.data())) throw std::runtime_error("cannot make a folder for a test");
    path = folder + "/" + name;
    std::ofstream(path) << text;
  }
  ~TempFile() { std::filesystem::remove_all(std::filesystem::path(path).parent_path()); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
};

}  // namespace skytools::test
