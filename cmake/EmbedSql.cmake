# embed_sql(<target> ROOT <dir>): every *.sql and *.tsv below <dir> becomes one entry of skytools::schema::files(), sorted by path.
# CMake alone does it; bytes are written as \x escapes so that no quoting rule of CMake or C++ can touch the SQL.
set(EMBED_SQL_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_sql_script.cmake)
function(embed_sql target)
  cmake_parse_arguments(ARG "" "ROOT" "" ${ARGN})
  file(GLOB_RECURSE paths CONFIGURE_DEPENDS RELATIVE ${ARG_ROOT} ${ARG_ROOT}/*.sql ${ARG_ROOT}/*.tsv)
  list(SORT paths)
  list(TRANSFORM paths PREPEND ${ARG_ROOT}/ OUTPUT_VARIABLE inputs)
  set(list_file ${CMAKE_CURRENT_BINARY_DIR}/${target}.list)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}.cpp)
  file(CONFIGURE OUTPUT ${list_file} CONTENT "${paths}" @ONLY)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DROOT=${ARG_ROOT} -DLIST=${list_file} -DOUT=${out} -P ${EMBED_SQL_SCRIPT}
    DEPENDS ${inputs} ${list_file} ${EMBED_SQL_SCRIPT}
    COMMENT "Embedding the SQL of ${ARG_ROOT}"
    VERBATIM)
  add_library(${target} STATIC ${out})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()
