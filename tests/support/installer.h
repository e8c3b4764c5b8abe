#pragma once
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/schema/fingerprint.h"
#include "core/schema/install.h"
#include "tests/support/cluster.h"

/// What the tests of the installer share.
namespace skytools::test {

inline std::vector<schema::Action> install(const std::string& conninfo, const schema::InstallOptions& options = {}) {
  pg::Connection c("db", conninfo);
  return schema::install(c, options);
}

inline schema::InstallOptions only(std::vector<std::string> modules) {
  schema::InstallOptions options;
  options.modules = std::move(modules);
  return options;
}

/// "pgq:installed londiste:none"
inline std::string words(const std::vector<schema::Action>& actions) {
  std::string out;
  for (auto& a : actions) out += (out.empty() ? "" : " ") + a.module + ":" + a.action;
  return out;
}

inline std::string states(const std::vector<schema::CheckResult>& results) {
  std::string out;
  for (auto& r : results) out += (out.empty() ? "" : " ") + r.module + ":" + r.state;
  return out;
}

inline std::string check_states(const std::string& conninfo) {
  pg::Connection c("db", conninfo);
  return states(schema::check(c, {}));
}

inline std::string facts_of(const std::string& conninfo) {
  pg::Connection c("db", conninfo);
  return schema::fingerprint(c);
}

/// The message of a refusal.
inline std::string refusal(const std::function<void()>& what) {
  try {
    what();
  } catch (const Refused& e) {
    return e.what();
  }
  return "not refused";
}

/// Changes with any transaction that wrote.
inline std::string last_txid(const std::string& conninfo) {
  return test::query(conninfo, "select txid_snapshot_xmax(txid_current_snapshot())");
}

/// The embedded files, some of them changed.
struct ChangedFiles {
  std::vector<schema::File> files;
  ChangedFiles() {
    auto all = schema::files();
    files.assign(all.begin(), all.end());
  }
  void set(std::string_view path, std::string_view text, std::string_view sum) {
    for (auto& f : files)
      if (f.path == path) {
        f.text = text, f.sha256 = sum;
        return;
      }
    files.push_back({path, text, sum});
  }
  schema::InstallOptions options() const {
    schema::InstallOptions o;
    o.source.files = files;
    return o;
  }
};

/// Are the extensions of the original there? Says so when not.
inline bool have_extensions() {
  test::Database db;
  if (db.query("select count(*) from pg_available_extensions where name in ('pgq', 'pgq_node', 'londiste')") == "3")
    return true;
  MESSAGE("SKIPPED: this server has no extensions pgq, pgq_node and londiste");
  return false;
}

/// The words of all modules: this one, but for those named.
inline std::string every(const std::string& word, const std::map<std::string, std::string>& but = {}) {
  std::string out;
  for (const schema::Module& m : schema::kModules) {
    auto other = but.find(std::string(m.name));
    out += (out.empty() ? "" : " ") + std::string(m.name) + ":" + (other == but.end() ? word : other->second);
  }
  return out;
}

inline const std::string kNone = every("none"), kInstalled = every("installed"), kOk = every("ok");

/// Our schemas in a list of SQL.
inline const std::string kSchemas = "('skytools', 'pgq', 'pgq_node', 'pgq_coop', 'pgq_ext', 'londiste')";

}  // namespace skytools::test
