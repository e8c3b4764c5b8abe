#include "core/run/temp_folder.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/base/error.h"
#include "core/log/log.h"

namespace skytools::run {

namespace fs = std::filesystem;

TempFolder::TempFolder(fs::path base, const std::string& prefix, const std::string& user) {
  if (base.empty()) {
    const char* tmp = std::getenv("TMPDIR");
    base = tmp && *tmp ? tmp : "/tmp";
  }
  std::error_code failed;
  base = fs::absolute(base, failed);
  std::string name = (base / (prefix + ".XXXXXX")).string();
  if (!mkdtemp(name.data())) throw Error("cannot create a folder in " + base.string() + ": " + std::strerror(errno));
  path_ = name;
  if (user.empty()) return;
  const passwd* account = getpwnam(user.c_str());
  if (!account || chown(name.c_str(), account->pw_uid, account->pw_gid) != 0) {
    fs::remove(path_, failed);
    throw Error("cannot give " + name + " to the user " + user);
  }
}

TempFolder::~TempFolder() {
  if (keep_) return;
  std::error_code failed;
  fs::remove_all(path_, failed);
  if (failed)
    log::warning("cannot remove a temporary folder", {{"folder", path_.string()}, {"error", failed.message()}});
}

}  // namespace skytools::run
