#include "tests/support/python_node.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/base/error.h"

namespace skytools::test {

namespace {

std::unique_ptr<run::Child> launch(std::vector<std::string> argv, const run::TempFolder& folder) {
  return std::make_unique<run::Child>(run::Launch{.argv = std::move(argv),
                                                  .env = run::without_settings(),
                                                  .folder = folder.path(),
                                                  .out = folder.path() / "out",
                                                  .death_signal = SIGKILL});
}

}  // namespace

bool python_peers_missing() {
  for (auto& [probe, package] : std::vector<std::pair<std::vector<std::string>, const char*>>{
           {{"londiste", "--version"}, "python3-londiste"}, {{"pgqd", "-V"}, "pgqd"}})
    if (run_program(probe).exit != 0) {
      std::cerr << "SKIPPED: " << package << " is not installed\n";
      return true;
    }
  Database probe;
  if (probe.query("select count(*) from pg_available_extensions where name in ('pgq', 'pgq_node', 'londiste')") !=
      "3") {
    std::cerr << "SKIPPED: postgresql-pgq3, -pgq-node or -londiste-sql is not installed\n";
    return true;
  }
  return false;
}

PythonLondiste::PythonLondiste(const std::string& job, const std::string& conninfo)
    : job_(job), ini_(folder_.path() / (job + ".ini")) {
  std::ofstream(ini_) << "[londiste]\njob_name = " << job << "\ndb = " << conninfo
                      << "\nqueue_name = set\nlogfile = " << job << ".log\npidfile = " << job
                      << ".pid\nloop_delay = 0.2\nexception_sleep = 1\nparallel_copies = 2\nuse_skylog = 0\n";
}

PythonLondiste::~PythonLondiste() {
  worker_.reset();
  // A copy of a table is a daemon of its own.
  for (auto& entry : std::filesystem::directory_iterator(folder_.path()))
    if (entry.path().filename().string().find(".pid") != std::string::npos) {
      pid_t pid = 0;
      if (std::ifstream(entry.path()) >> pid && pid > 1) ::kill(pid, SIGKILL);
    }
}

Output PythonLondiste::try_run(std::vector<std::string> args) const {
  args.insert(args.begin(), {"londiste", ini_});
  return run_program(args, {.folder = folder_.path(), .limit = kPythonPatience});
}

void PythonLondiste::run(std::vector<std::string> args) const {
  std::string what = args.at(0);
  Output o = try_run(std::move(args));
  if (o.exit != 0) throw Error(job_ + ": " + what + " failed: " + o.out + o.err);
}

void PythonLondiste::start_worker() {
  worker_.reset();
  std::filesystem::remove(folder_.path() / (job_ + ".pid"));  // of one that was killed
  worker_ = launch({"londiste", ini_, "worker"}, folder_);
}

std::string PythonLondiste::log() const { return run::last_lines(folder_.path() / "out", 30); }

PgqdTicker::PgqdTicker(const std::string& conninfo, const std::string& database) {
  std::string ini = folder_.path() / "pgqd.ini";
  std::ofstream(ini) << "[pgqd]\nsyslog = 0\nticker_period = 0.2\nbase_connstr = "
                     << conninfo.substr(0, conninfo.find(" dbname=")) << "\ndatabase_list = " << database << "\n";
  daemon_ = launch({"pgqd", ini}, folder_);
}

run::ThrowawayServer& PythonNode::plain_server() {
  static run::ThrowawayServer server({.settings = "max_connections = 100", .wal_level = "replica"});
  return server;
}

PythonNode::PythonNode(const std::string& name, run::ThrowawayServer& on)
    : name_(name), db_(on), londiste_("set_" + name, db_.conninfo()) {
  for (auto* extension : {"pgq", "pgq_node", "londiste"}) db_.query(std::string("create extension ") + extension);
}

}  // namespace skytools::test
