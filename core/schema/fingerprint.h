#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/state.h"

namespace skytools::schema {

/// One measured property of one object, in words that do not depend on the server's version.
struct Fact {
  std::string module;    ///< "pgq"
  std::string object;    ///< "function pgq.ticker(text)"
  std::string property;  ///< "result"
  std::string value;     ///< "bigint"
  auto operator<=>(const Fact&) const = default;
};

/// Facts of the modules' schemas as they are in the database, sorted. Function bodies are SHA-256 of the text as it was
/// sent; grants are those of PUBLIC and of our roles only: what an operator grants to others is his business.
std::vector<Fact> live_facts(pg::Transaction& tx, const std::vector<std::string>& modules);

/// The format of schema/fingerprint.tsv: the four members between tabs, one fact per line, `#` starts a comment line.
/// Backslash, tab and line end inside a value are written \\, \t, \n.
std::string write_facts(const std::vector<Fact>& facts);
/// The text of schema/fingerprint.tsv for this database.
std::string fingerprint(pg::Connection& c);
std::vector<Fact> read_facts(std::string_view text);

/// What an expected object lacks, has too much or has otherwise, one line each, for one module. Objects that are not
/// expected are nobody's business: queues make tables, captures make functions.
std::vector<std::string> differences(const std::vector<Fact>& expected, const std::vector<Fact>& live,
                                     std::string_view module);

struct CheckResult {
  std::string module, version;
  std::string state;  ///< ok, extension, missing, old, drifted, newer, unrecorded
  std::string extension;
  std::vector<std::string> differences;
  bool good() const { return state == "ok" || state == "extension"; }
};

/// Compares the modules with what this program would install; changes nothing, takes no lock.
std::vector<CheckResult> check(pg::Connection& c, const std::vector<std::string>& modules,
                               const Source& source = embedded());

}  // namespace skytools::schema
