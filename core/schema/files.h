#pragma once
#include <span>
#include <string_view>

namespace skytools::schema {

/// One file of the schema folder, embedded byte for byte.
struct File {
  std::string_view path;    ///< relative to the schema folder: "pgq/functions/ticker.sql"
  std::string_view text;    ///< UTF-8, as committed
  std::string_view sha256;  ///< of the text, lower-case hex
};

/// All embedded files, sorted by path. Written by cmake/embed_sql_script.cmake.
std::span<const File> files();

}  // namespace skytools::schema
