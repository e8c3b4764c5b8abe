#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "core/run/pid_file.h"
#include "core/schema/install.h"
#include "tests/support/cluster.h"
#include "tests/support/files.h"

using namespace skytools;
using namespace skytools::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr milliseconds kPatience = 20s;

/// A database, and the files of one daemon.
struct Setup {
  Database db;
  run::TempFolder folder{{}, "skytools_daemon."};
  std::string pid_file = folder.path() / "pid", log_file = folder.path() / "log";

  Setup() {
    pg::Connection c("test", db.conninfo());
    schema::install(c, {.modules = {"pgq"}});
    db.query("select pgq.create_queue('q')");
  }
  ~Setup() {
    if (auto pid = run::pid_file_holder(pid_file)) ::kill(*pid, SIGKILL);
  }
  Output ticker(std::vector<std::string> more) const {
    std::vector<std::string> args = {"ticker", "--db", db.conninfo(), "--pid-file", pid_file, "--log-file", log_file};
    args.insert(args.end(), more.begin(), more.end());
    return run_skytools(args);
  }
  bool ticks() const {
    std::string before = db.query("select max(tick_id) from pgq.tick");
    db.query("select pgq.insert_event('q', 't', 'd')");
    return eventually(kPatience, [&] { return db.query("select max(tick_id) > " + before + " from pgq.tick") == "t"; });
  }
  bool logged(const std::string& text, const std::string& file = "") const {
    return eventually(kPatience,
                      [&] { return run::read_file(file.empty() ? log_file : file).find(text) != std::string::npos; });
  }
};

}  // namespace

TEST_CASE("a daemon starts, refuses a second one, reopens its log, and stops") {
  Setup s;
  auto started = s.ticker({"--daemon"});
  INFO(started.err);
  REQUIRE(started.exit == 0);
  auto pid = run::pid_file_holder(s.pid_file);
  REQUIRE(pid);
  CHECK(getsid(*pid) == *pid);  // no session of ours
  CHECK(s.ticks());

  auto second = s.ticker({"-d"});
  CHECK(second.exit == 5);
  CHECK(second.err.find("already running as process " + std::to_string(*pid)) != std::string::npos);
  CHECK(s.ticker({}).exit == 5);  // in the foreground neither

  fs::rename(s.log_file, s.log_file + ".1");
  CHECK(s.ticker({"--reload"}).exit == 0);
  REQUIRE(eventually(kPatience, [&] { return fs::exists(s.log_file); }));
  CHECK(s.logged("settings read again"));

  CHECK(s.ticker({"--stop"}).exit == 0);
  CHECK_FALSE(fs::exists(s.pid_file));
  std::error_code gone;  // a zombie that nobody reaps has no program any more
  CHECK(fs::read_symlink("/proc/" + std::to_string(*pid) + "/exe", gone).empty());
  CHECK(gone);
  auto again = s.ticker({"--stop"});
  CHECK(again.exit == 1);
  CHECK(again.err.find("not running") != std::string::npos);
  CHECK(s.ticker({"--reload"}).exit == 1);
}

TEST_CASE("--dry-run needs no pid file and signals nobody") {
  Setup s;
  REQUIRE(s.ticker({"-d"}).exit == 0);
  Output o = s.ticker({"-d", "--dry-run"});
  CHECK(o.exit == 0);
  CHECK(o.out.find("pgq.maint_retry_events") != std::string::npos);
  CHECK(s.ticker({"--stop", "--dry-run"}).exit == 2);
  CHECK(run::pid_file_holder(s.pid_file).has_value());
  CHECK(s.ticker({"--stop"}).exit == 0);
}

TEST_CASE("a daemon that cannot begin says so where it was started") {
  Setup s;
  auto out = run_skytools(
      {"ticker", "--db", server().conninfo("no_such_db"), "-d", "--pid-file", s.pid_file, "--log-file", s.log_file});
  CHECK(out.exit == 4);
  CHECK(out.err.find("no_such_db") != std::string::npos);
  CHECK_FALSE(fs::exists(s.pid_file));
  CHECK(s.logged("no_such_db"));
}

TEST_CASE("options that need each other, or exclude each other") {
  Database db;
  for (const char* option : {"--daemon", "--stop", "--kill", "--reload"}) {
    auto out = run_skytools({"ticker", "--db", db.conninfo(), option});
    CHECK(out.exit == 2);
    CHECK(out.err.find(std::string(option) + " needs --pid-file") != std::string::npos);
  }
  CHECK(run_skytools({"ticker", "--stop", "--kill", "--pid-file", "/nonexistent/pid"}).exit == 2);
  CHECK(run_skytools({"ticker", "--db", db.conninfo(), "-d", "--pid-file", "/nonexistent/pid"}).exit == 1);
}

TEST_CASE("a stale pid file is no obstacle and its number is never signalled") {
  Setup s;
  std::ofstream(s.pid_file) << getpid() << "\n";  // alive, and not a ticker
  CHECK(s.ticker({"--stop"}).exit == 1);
  CHECK(s.ticker({"-d"}).exit == 0);
  CHECK(run::pid_file_holder(s.pid_file) != getpid());
  CHECK(s.ticks());

  auto pid = run::pid_file_holder(s.pid_file);
  REQUIRE(pid);
  ::kill(*pid, SIGKILL);
  REQUIRE(eventually(kPatience, [&] { return !run::pid_file_holder(s.pid_file); }));
  CHECK(fs::exists(s.pid_file));
  CHECK(s.ticker({"-d"}).exit == 0);
  CHECK(s.ticks());
  CHECK(s.ticker({"--kill"}).exit == 0);
  CHECK_FALSE(fs::exists(s.pid_file));
}

TEST_CASE("--kill ends a ticker that hangs in a statement; --stop has a deadline") {
  Setup s;
  s.db.query("create function public.hang() returns int language sql as 'select 0 from pg_sleep(600)'");
  s.db.query("update pgq.queue set queue_extra_maint = '{public.hang}'");
  s.db.query("create or replace function public.hang(text) returns int language sql as 'select public.hang()'");
  REQUIRE(s.ticker({"-d"}).exit == 0);
  REQUIRE(eventually(kPatience, [&] {
    return s.db.query("select count(*) from pg_stat_activity where query like '%hang%' and pid <> pg_backend_pid()") !=
           "0";
  }));
  CHECK(s.ticker({"--kill"}).exit == 0);
  CHECK(eventually(kPatience, [&] {
    return s.db.query(
               "select count(*) from pg_stat_activity where query like '%hang%' and state = 'active' and pid <> "
               "pg_backend_pid()") == "0";
  }));
}

TEST_CASE("the pid file belongs to its holder") {
  run::TempFolder folder({}, "skytools_daemon.");
  std::string path = folder.path() / "pid";
  CHECK_FALSE(run::pid_file_holder(path));
  {
    run::PidFile file(path);
    CHECK_FALSE(run::pid_file_holder(path));  // no number yet
    file.write();
    CHECK(run::pid_file_holder(path) == getpid());
    CHECK_THROWS_AS(run::PidFile{path}, Refused);
    CHECK(run::pid_file_holder(path) == getpid());
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("settings are read again on SIGHUP: a new database is served, bad files change nothing") {
  Setup s;
  Setup other;
  auto job = [&](const std::string& databases) { return "jobs:\n  t: { type: ticker, " + databases + " }\n"; };
  auto one = "'" + s.db.conninfo() + "'", two = "'" + other.db.conninfo() + "'";
  TempFile file("job.yaml", job("databases: [" + one + "]"));
  Background ticker({"ticker", "-c", file.path});
  CHECK(s.ticks());
  std::ofstream(file.path) << job("databases: [" + one + ", " + two + "]");
  ticker.signal(SIGHUP);
  CHECK(other.ticks());
  std::ofstream(file.path) << job("databases: [" + one + "], no_such_key: 1");
  ticker.signal(SIGHUP);
  CHECK(eventually(kPatience, [&] { return ticker.logged("the old settings stay"); }));
  CHECK(other.ticks());
  std::ofstream(file.path) << job("databases: [" + two + "]");
  ticker.signal(SIGHUP);
  CHECK(eventually(kPatience, [&] { return ticker.logged("no longer served"); }));
  CHECK(other.ticks());
  CHECK(ticker.stop() == 0);
}

TEST_CASE("the init system hears when the ticker is ready, reloads and stops") {
  Setup s;
  std::string path = s.folder.path() / "notify";
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  REQUIRE(fd >= 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  std::string heard;
  auto hears = [&](const std::string& text) {
    return eventually(kPatience, [&] {
      char buffer[512];
      for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;)
        heard.append(buffer, static_cast<std::size_t>(n)) += '\n';
      return heard.find(text) != std::string::npos;
    });
  };
  Background ticker({"ticker", "--db", s.db.conninfo()},
                    {.env = {{"NOTIFY_SOCKET", path}, {"WATCHDOG_USEC", "2000000"}}});
  CHECK(hears("READY=1"));
  CHECK(hears("WATCHDOG=1"));
  ticker.signal(SIGHUP);
  CHECK(hears("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(ticker.stop() == 0);
  CHECK(hears("STOPPING=1"));
  close(fd);
}
