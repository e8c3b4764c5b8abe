#include "core/schema/modules.h"

#include <algorithm>
#include <charconv>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::schema {

namespace {

constexpr const Module* find(std::string_view name) {
  for (const Module& m : kModules)
    if (m.name == name) return &m;
  return nullptr;
}

/// Does every module stand after the one it needs?
constexpr bool ordered() {
  for (std::size_t i = 0; i < std::size(kModules); ++i) {
    bool found = kModules[i].needs.empty();
    for (std::size_t k = 0; k < i; ++k) found = found || kModules[k].name == kModules[i].needs;
    if (!found) return false;
  }
  return true;
}
static_assert(ordered(), "a module stands after the one it needs");

Kind kind_of(std::string_view name) {
  if (name.starts_with("functions/")) return Kind::function;
  if (name == "grants.sql") return Kind::grants;
  if (name.starts_with("upgrade_")) return Kind::upgrade;
  if (name.size() > 2 && name[0] >= '0' && name[0] <= '9' && name[1] == '_')
    return name[0] < '5' ? Kind::tables : Kind::triggers;
  throw Error("schema file " + std::string(name) +
              " is neither N_name.sql, upgrade_name.sql, functions/ nor grants.sql");
}

/// On a fresh schema; upgrade files are only recorded there.
int run_order(Kind kind) {
  switch (kind) {
    case Kind::tables:
      return 0;
    case Kind::function:
      return 1;
    case Kind::upgrade:
      return 2;
    case Kind::triggers:
      return 3;
    default:
      return 4;
  }
}

}  // namespace

const Module& module_named(std::string_view name) {
  if (const Module* m = find(name)) return *m;
  std::vector<std::string> known = {"all"};
  for (const Module& m : kModules) known.emplace_back(m.name);
  std::string near = closest(name, known);
  throw UsageError("unknown module '" + std::string(name) + "'" +
                   (near.empty() ? "; there are: " + join(known, ", ") : "; did you mean '" + near + "'?"));
}

std::vector<const Module*> with_needs(const std::vector<std::string>& names) {
  std::vector<const Module*> out;
  bool all = names.empty();
  for (auto& name : names)
    if (name == "all")
      all = true;
    else
      module_named(name);
  auto wanted = [&](const Module& m) { return all || std::find(names.begin(), names.end(), m.name) != names.end(); };
  // From the last to the first, so that whoever needs a module has been looked at before it.
  for (auto m = std::rbegin(kModules); m != std::rend(kModules); ++m)
    if (wanted(*m) || std::any_of(out.begin(), out.end(), [&](auto* later) { return later->needs == m->name; }))
      out.insert(out.begin(), &*m);
  return out;
}

int compare_versions(std::string_view a, std::string_view b) {
  auto next = [](std::string_view& v) {
    long number = 0;
    auto [end, ec] = std::from_chars(v.data(), v.data() + v.size(), number);
    v.remove_prefix(static_cast<std::size_t>(end - v.data()));
    if (ec != std::errc{} || v.empty() || v[0] != '.')
      v = {};
    else
      v.remove_prefix(1);
    return number;
  };
  while (!a.empty() || !b.empty())
    if (long x = next(a), y = next(b); x != y) return x < y ? -1 : 1;
  return 0;
}

std::vector<ModuleFile> files_of(std::string_view module, std::span<const File> files) {
  std::vector<ModuleFile> out;
  std::string folder = std::string(module) + "/";
  for (const File& f : files)
    if (f.path.starts_with(folder)) out.push_back({&f, kind_of(f.path.substr(folder.size()))});
  std::stable_sort(out.begin(), out.end(), [](auto& x, auto& y) { return run_order(x.kind) < run_order(y.kind); });
  return out;
}

Source embedded() {
  Source source{files(), {}};
  for (const File& f : source.files)
    if (f.path == "fingerprint.tsv") source.fingerprint = f.text;
  return source;
}

}  // namespace skytools::schema
