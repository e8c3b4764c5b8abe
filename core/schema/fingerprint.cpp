#include "core/schema/fingerprint.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/error.h"

namespace skytools::schema {

namespace {

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    char c = text[++i];
    out += c == 't' ? '\t' : c == 'n' ? '\n' : c;
  }
  return out;
}

/// property → value of each object of one module
using Objects = std::map<std::string, std::map<std::string, std::string>>;

Objects objects_of(const std::vector<Fact>& facts, std::string_view module) {
  Objects out;
  for (auto& f : facts)
    if (f.module == module) out[f.object][f.property] = f.value;
  return out;
}

}  // namespace

std::string write_facts(const std::vector<Fact>& facts) {
  std::string out =
      "# What a fresh installation consists of: module, object, property, value; compared by skytools install "
      "--check.\n"
      "# Written by: skytools install --fingerprint --db CONNINFO (of a database with a fresh installation)\n";
  for (auto& f : facts)
    out += f.module + "\t" + escape(f.object) + "\t" + escape(f.property) + "\t" + escape(f.value) + "\n";
  return out;
}

std::string fingerprint(pg::Connection& c) {
  std::vector<std::string> names;
  for (const Module& m : kModules) names.emplace_back(m.name);
  pg::Transaction tx(c, pg::Mode::read_only);
  return write_facts(live_facts(tx, names));
}

std::vector<Fact> read_facts(std::string_view text) {
  std::vector<Fact> out;
  for (int line = 1; !text.empty(); ++line) {
    std::string_view rest = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(rest.size() + 1, text.size()));
    if (rest.empty() || rest[0] == '#') continue;
    std::string fields[4];
    for (int i = 0; i < 4; ++i) {
      auto tab = rest.find('\t');
      if ((tab == std::string_view::npos) != (i == 3))
        throw Error("schema/fingerprint.tsv:" + std::to_string(line) + ": not four fields");
      fields[i] = unescape(rest.substr(0, tab));
      if (i < 3) rest.remove_prefix(tab + 1);
    }
    out.push_back({fields[0], fields[1], fields[2], fields[3]});
  }
  return out;
}

std::vector<std::string> differences(const std::vector<Fact>& expected, const std::vector<Fact>& live,
                                     std::string_view module) {
  std::vector<std::string> out;
  Objects want = objects_of(expected, module), have = objects_of(live, module);
  for (auto& [object, properties] : want) {
    auto found = have.find(object);
    if (found == have.end()) {
      out.push_back(object + " is missing");
      continue;
    }
    for (auto& [property, value] : properties) {
      auto is = found->second.find(property);
      if (is == found->second.end())
        out.push_back(object + ": " + property + " is missing, expected " + value);
      else if (is->second != value)
        out.push_back(object + ": " + property +
                      (property == "body" ? " differs" : " is '" + is->second + "', expected '" + value + "'"));
    }
    for (auto& [property, value] : found->second)
      if (!properties.contains(property)) out.push_back(object + ": unexpected " + property + ": " + value);
  }
  return out;
}

std::vector<CheckResult> check(pg::Connection& c, const std::vector<std::string>& modules, const Source& source) {
  pg::Transaction tx(c, pg::Mode::read_only);
  // The installer's queries are written for this path.
  tx.exec("set local search_path = pg_catalog");
  const auto found = states(tx, source);
  const auto expected = read_facts(source.fingerprint);
  const auto wanted = with_needs(modules);
  std::vector<std::string> names;
  for (const Module* m : wanted) names.emplace_back(m->name);
  const auto live = live_facts(tx, names);

  std::vector<CheckResult> out;
  for (const Module* m : wanted) {
    const ModuleState& s = state_of(found, m->name);
    CheckResult r{s.name, s.version, "", s.extension, {}};
    if (!s.present) {
      r.state = "missing";
    } else if (s.origin == "extension") {
      r.state = "extension";
    } else if (!s.recorded) {
      r.state = "unrecorded";
    } else if (compare_versions(s.version, m->version) > 0) {
      r.state = "newer";
    } else {
      if (std::none_of(expected.begin(), expected.end(), [&](auto& f) { return f.module == m->name; }))
        throw Error("this program carries no fingerprint of module " + s.name);
      r.differences = differences(expected, live, m->name);
      r.state = !s.current && !s.roles_missing ? "old" : r.differences.empty() ? "ok" : "drifted";
    }
    out.push_back(std::move(r));
  }
  return out;
}

}  // namespace skytools::schema
