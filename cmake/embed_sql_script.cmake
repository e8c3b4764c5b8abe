# Writes ${OUT}: a constexpr table {path, text, sha256} of the files named in ${LIST}, relative to ${ROOT}.
file(READ ${LIST} paths)
set(texts "")
set(rows "")
set(number 0)
foreach(path IN LISTS paths)
  file(READ ${ROOT}/${path} hex HEX)
  file(SHA256 ${ROOT}/${path} sum)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "(..)" "\\\\x\\1" text "${hex}")
  string(REGEX REPLACE "(................................................................................................)" "\\1\"\n\"" text "${text}")
  math(EXPR number "${number} + 1")
  string(APPEND texts "constexpr char kText${number}[] =\n\"${text}\";\n")
  string(APPEND rows "  {\"${path}\", {kText${number}, ${bytes}}, \"${sum}\"},\n")
endforeach()
file(WRITE ${OUT} "// generated from the schema folder, do not edit
#include \"core/schema/files.h\"
namespace skytools::schema {
namespace {
${texts}constexpr File kFiles[] = {
${rows}};
}  // namespace
std::span<const File> files() { return kFiles; }
}  // namespace skytools::schema
")
