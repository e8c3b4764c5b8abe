#include "core/run/throwaway.h"

#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "core/base/error.h"
#include "core/base/quote.h"
#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/pg/transaction.h"

namespace skytools::run {

namespace fs = std::filesystem;

namespace {

constexpr auto kStartTimeout = std::chrono::seconds(60);
constexpr auto kStopTimeout = std::chrono::seconds(30);
constexpr auto kReadyPoll = milliseconds(10);
/// sun_path has 108 bytes with its end; the socket file is called /.s.PGSQL.NNNNN and has a lock file beside it.
constexpr std::size_t kLongestSocketFolder = 107 - sizeof("/.s.PGSQL.65535") + 1;

bool has_server(const fs::path& folder) {
  return access((folder / "initdb").c_str(), X_OK) == 0 && access((folder / "postgres").c_str(), X_OK) == 0;
}

std::string output_of(const char* command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command, "r"), pclose);
  char text[1024] = "";
  if (!pipe || !fgets(text, sizeof text, pipe.get())) return "";
  return std::string(trim(text));
}

/// The `bin` folder with the highest version in its path, of those below `root` whose name starts with `prefix`.
fs::path newest_below(const fs::path& root, const std::string& prefix) {
  fs::path best;
  double best_version = 0;
  std::error_code failed;
  for (auto& entry : fs::directory_iterator(root, failed)) {
    std::string name = entry.path().filename();
    if (!name.starts_with(prefix) || !has_server(entry.path() / "bin")) continue;
    double version = std::strtod(name.c_str() + prefix.size(), nullptr);
    if (version > best_version) best = entry.path() / "bin", best_version = version;
  }
  return best;
}

/// PostgreSQL refuses to run as root.
std::string server_user() {
  if (geteuid() != 0) return "";
  for (const char* name : {"postgres", "nobody"})
    if (const passwd* account = getpwnam(name); account && account->pw_uid != 0) return name;
  throw Error(
      "PostgreSQL does not run as root, and there is no user postgres to run it as: create one, or call this as "
      "another user");
}

/// The result of one initdb per process, which servers copy.
const fs::path& initdb_result(const fs::path& base, const std::string& user, const StopToken* stop) {
  struct Template {
    TempFolder folder;
    Template(const fs::path& where, const std::string& owner, const StopToken* token)
        : folder(where, "skytools-initdb", owner) {
      run_to_end({.argv = {server_binaries() / "initdb", "-D", folder.path() / "data", "-U", "postgres", "-A", "trust",
                           "-E", "UTF8", "--no-locale", "--no-sync"},
                  .folder = folder.path(),
                  .out = folder.path() / "log",
                  .user = owner,
                  .death_signal = SIGKILL},
                 Deadline(kStartTimeout), token);
    }
  };
  static const Template made(base, user, stop);
  return made.folder.path();
}

/// Direct children of a process, from /proc.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> out;
  std::error_code failed;
  for (auto& entry : fs::directory_iterator("/proc", failed)) {
    pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string text;
    std::getline(stat, text);
    // "pid (name) state ppid …"; the name may hold anything, so the fields count from its last parenthesis.
    auto close_name = text.rfind(')');
    char state = 0;
    int ppid = 0;
    if (close_name != std::string::npos && std::sscanf(text.c_str() + close_name + 1, " %c %d", &state, &ppid) == 2 &&
        ppid == parent)
      out.push_back(pid);
  }
  return out;
}

}  // namespace

fs::path server_binaries() {
  if (const char* named = std::getenv("SKYTOOLS_PG_BINDIR"); named && *named) {
    if (!has_server(named)) throw Error(std::string("SKYTOOLS_PG_BINDIR: no initdb and postgres in ") + named);
    return named;
  }
  if (std::string told = output_of("pg_config --bindir 2>/dev/null"); !told.empty() && has_server(told)) return told;
  for (auto& [root, prefix] : {std::pair{"/usr/lib/postgresql", ""}, {"/usr", "pgsql-"}})
    if (fs::path found = newest_below(root, prefix); !found.empty()) return found;
  const char* path = std::getenv("PATH");
  for (std::string_view rest = path ? path : ""; !rest.empty();) {
    auto end = rest.find(':');
    if (fs::path folder(rest.substr(0, end)); has_server(folder)) return folder;
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  throw Error(
      "no PostgreSQL server programs (initdb, postgres) found: install the server package (Debian: postgresql), or "
      "name "
      "their folder in SKYTOOLS_PG_BINDIR");
}

ThrowawayServer::ThrowawayServer(const ThrowawayOptions& options)
    : options_(options), user_(server_user()), folder_(options.base, "skytools-pg", user_) {
  const fs::path& made = initdb_result(options_.base, user_, options_.stop);
  run_to_end({.argv = {"cp", "-a", "--reflink=auto", made / "data", data()},
              .folder = folder(),
              .out = log(),
              .user = user_,
              .death_signal = SIGKILL},
             Deadline(kStartTimeout), options_.stop);
  if (folder().string().size() > kLongestSocketFolder)
    socket_folder_ = std::make_unique<TempFolder>("/tmp", "skytools-pg", user_);
  write_settings();
  start();
}

ThrowawayServer::~ThrowawayServer() {
  try {
    end_with(SIGQUIT);
  } catch (const Error& e) {
    log::warning("stopping a throwaway server", {{"error", std::string(e.what())}});
  }
}

void ThrowawayServer::write_settings() {
  std::ofstream conf(data() / "postgresql.conf", std::ios::app);
  const auto& sockets = socket_folder_ ? socket_folder_->path() : folder();
  conf << "listen_addresses = ''\n"
       << "unix_socket_directories = '" << sockets.string() << "'\n"
       << "port = " << options_.port << "\n"
       << "max_connections = 100\n"
       << "shared_buffers = 32MB\n"
       << "wal_level = " << options_.wal_level << "\n";
  if (options_.wal_level == "minimal") conf << "max_wal_senders = 0\n";
  // Commits stay synchronous: without fsync that is cheap, and a crash of the server alone must not lose any.
  if (!options_.durable) conf << "fsync = off\nfull_page_writes = off\n";
  conf << options_.settings << "\n";
  if (!conf.flush()) throw Error("cannot write " + (data() / "postgresql.conf").string());
}

std::string ThrowawayServer::conninfo(const std::string& database) const {
  const auto& sockets = socket_folder_ ? socket_folder_->path() : folder();
  std::string text = pg::with_keyword("", "host", sockets.string());
  text = pg::with_keyword(text, "port", std::to_string(options_.port));
  text = pg::with_keyword(text, "user", "postgres");
  return pg::with_keyword(text, "dbname", database);
}

std::string ThrowawayServer::new_database(const std::string& name) {
  pg::Connection c("throwaway server", conninfo("postgres"), {.stop = options_.stop});
  pg::Transaction(c, pg::Mode::autocommit).exec("create database " + quote_ident(name));
  return conninfo(name);
}

void ThrowawayServer::start() {
  if (running()) return;
  server_ = std::make_unique<Child>(Launch{.argv = {server_binaries() / "postgres", "-D", data()},
                                           .folder = folder(),
                                           .out = log(),
                                           .user = user_,
                                           .death_signal = options_.outlive_us ? 0 : SIGQUIT});
  for (Deadline deadline(kStartTimeout);;) {
    try {
      pg::Connection c("throwaway server", conninfo("postgres"), {.stop = options_.stop});
      return;
    } catch (const pg::ConnectError& e) {
      // The wait between two tries ends at once when the server dies.
      bool gone = server_->wait(Deadline(kReadyPoll), options_.stop).has_value();
      if (!gone && !deadline.passed()) continue;
      end_with(SIGQUIT);
      throw Error("PostgreSQL did not start: " + (gone ? last_lines(log(), 3) : e.message()));
    }
  }
}

void ThrowawayServer::end_with(int signal_number) {
  if (!server_) return;
  server_->signal(signal_number);
  if (!server_->wait(Deadline(kStopTimeout))) {
    log::warning("a throwaway server does not stop and is killed", {{"folder", folder().string()}});
    kill9();
  }
  server_.reset();
}

void ThrowawayServer::stop() { end_with(SIGINT); }
void ThrowawayServer::crash() { end_with(SIGQUIT); }

void ThrowawayServer::kill9() {
  if (!running()) return;
  server_->signal(SIGSTOP);  // so that it starts no more processes while they are listed
  std::vector<int> dying;
  for (pid_t pid : children_of(server_->pid())) {
    if (int fd = open_pidfd(pid); fd >= 0) dying.push_back(fd);
    kill(pid, SIGKILL);
  }
  server_->signal(SIGKILL);
  server_->wait(Deadline());
  // A start finds the shared memory in use as long as one of them exists.
  for (int fd : dying) {
    pollfd p{fd, POLLIN, 0};
    poll(&p, 1, 10'000);
    close(fd);
  }
  server_.reset();
}

void ThrowawayServer::release() {
  if (!options_.outlive_us) throw Error("this throwaway server dies with the process");
  folder_.release();
  if (socket_folder_) socket_folder_->release();
  if (server_) server_->release();
  server_.reset();
}

}  // namespace skytools::run
