#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "core/base/strings.h"

using namespace skytools;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = SKYTOOLS_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

using Layers = std::map<std::string, std::set<std::string>>;

/// The table of CMakeLists.txt: module → what it may include, itself too.
Layers layers() {
  Layers table;
  std::string text = read(kSource / "CMakeLists.txt");
  std::regex row(R"(\n\s*skytools_module\((\w+)((?: [\w:-]+)*)\))");
  for (std::sregex_iterator match(text.begin(), text.end(), row), end; match != end; ++match) {
    std::set<std::string>& allowed = table[(*match)[1]];
    allowed.insert((*match)[1]);
    bool uses = false;
    for (auto& word : split((*match)[2].str(), ' ')) {
      if (word == "USES" || word == "LINK")
        uses = word == "USES";
      else if (uses)
        allowed.insert(word);
    }
  }
  return table;
}

std::vector<fs::path> sources(const fs::path& folder) {
  std::vector<fs::path> found;
  for (auto& entry : fs::recursive_directory_iterator(folder)) {
    auto extension = entry.path().extension();
    if (extension == ".h" || extension == ".cpp") found.push_back(entry.path());
  }
  return found;
}

/// What `text`, a file of that module, includes and may not.
std::vector<std::string> violations(const std::string& text, const std::string& module, const Layers& table) {
  std::vector<std::string> out;
  static const std::regex include(R"(#\s*include\s*["<](core|cmd|tests)/([\w/.]+)[">])");
  for (std::sregex_iterator match(text.begin(), text.end(), include), end; match != end; ++match) {
    std::string top = (*match)[1], rest = (*match)[2], target = rest.substr(0, rest.find('/'));
    bool allowed = module == "cmd" ? top != "tests" : top == "core" && table.at(module).contains(target);
    if (!allowed) out.push_back(top + "/" + rest);
  }
  return out;
}

}  // namespace

TEST_CASE("the table of modules is read") {
  Layers table = layers();
  CHECK(table.size() >= 11);
  CHECK(table.at("base") == std::set<std::string>{"base"});
  CHECK(table.at("config") == std::set<std::string>{"base", "config"});
  CHECK(table.at("run").contains("londiste"));
}

TEST_CASE("an upward include is seen") {
  Layers table = layers();
  std::vector<std::string> found =
      violations("#include \"core/base/error.h\"\n#include \"core/pg/error.h\"\n", "base", table);
  CHECK(found == std::vector<std::string>{"core/pg/error.h"});
}

TEST_CASE("no module includes one above it") {
  Layers table = layers();
  int files = 0;
  for (auto& path : sources(kSource / "core")) {
    std::string relative = fs::relative(path, kSource / "core"), module = relative.substr(0, relative.find('/'));
    INFO(relative);
    REQUIRE(table.contains(module));
    CHECK(join(violations(read(path), module, table), ", ") == "");
    ++files;
  }
  for (auto& path : sources(kSource / "cmd")) {
    INFO(path.string());
    CHECK(join(violations(read(path), "cmd", table), ", ") == "");
    ++files;
  }
  CHECK(files > 20);
}

TEST_CASE("libraries are seen by their one module only") {
  const std::map<std::string, std::set<std::string>> owners = {
      {"libpq-fe.h", {"pg"}}, {"boost/log", {"log"}}, {"boost/program_options", {"config"}}, {"yaml-cpp", {"config"}}};
  for (auto& path : sources(kSource / "core")) {
    std::string relative = fs::relative(path, kSource / "core"), module = relative.substr(0, relative.find('/')),
                text = read(path);
    for (auto& [header, modules] : owners) {
      INFO(relative << " includes " << header);
      CHECK((modules.contains(module) || text.find("#include <" + header) == std::string::npos));
    }
  }
}
