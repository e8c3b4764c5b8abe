#pragma once
#include <string>
#include <string_view>

namespace skytools::run {

/// The queue of the demo, and the patterns that name all of its tables and sequences.
inline constexpr const char* kDemoQueue = "demo";
inline constexpr const char* kDemoPatterns[] = {"public.*", "Odd Schema.*"};

/// SQL, after `pgbench -i`: a key for the history (a replicated table needs one), and a table of all that is easy to
/// get wrong: quoted and non-ASCII names, a reserved word, a key of two columns in another order, bytea, arrays, NULL,
/// empty strings, and characters with a meaning in the event format or in COPY.
extern const std::string_view kDemoTables;

/// pgbench script: inserts, updates and deletes in that table (a key column may not change: the trigger refuses). One
/// client at a time works in it, as pgbench gives up on a deadlock.
extern const std::string_view kDemoLoad;

}  // namespace skytools::run
