#include "core/run/demo_world.h"

#include <csignal>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/log/log.h"

namespace skytools::run {

namespace fs = std::filesystem;

namespace {

constexpr auto kLook = milliseconds(100);          ///< how often processes are looked at while waiting
constexpr auto kGrace = std::chrono::seconds(10);  ///< for a worker to end on its own
constexpr auto kCommandLimit = std::chrono::minutes(10);
constexpr std::size_t kLongLoad = 24 * 3600;  ///< seconds; the load is ended by end_load()

/// Runs something that must not stop a destructor.
template <class F>
void quietly(const char* what, F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    log::warning(what, {{"error", std::string(e.what())}});
  }
}

}  // namespace

DemoWorld::DemoWorld(const fs::path& base, bool keep, const StopToken& stop)
    : stop_(stop), keep_(keep), folder_(base, "skytools-demo") {
  // The servers may run as another user, who has to get through to his folders in it.
  fs::permissions(folder(), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
}

DemoWorld::~DemoWorld() {
  quietly("ending the load", [&] { load_.reset(); });
  for (auto& p : processes_) p.child->signal(SIGTERM);
  Deadline grace(kGrace);
  for (auto& p : processes_) quietly("ending a worker", [&] { p.child->end(grace.left()); });
}

ThrowawayServer& DemoWorld::add_server() {
  servers_.push_back(
      std::make_unique<ThrowawayServer>(ThrowawayOptions{.base = folder(), .outlive_us = keep_, .stop = &stop_}));
  return *servers_.back();
}

std::unique_ptr<Child> DemoWorld::launch(const std::string& name, std::vector<std::string> argv, bool survives) {
  return std::make_unique<Child>(Launch{.argv = std::move(argv),
                                        .env = without_settings(),
                                        .folder = folder(),
                                        .out = log_of(name),
                                        .death_signal = survives ? 0 : SIGKILL});
}

void DemoWorld::fail(const std::string& name, int exit_code) const {
  std::string said = first_errors(log_of(name), 2);
  throw Error(name + " ended with exit code " + std::to_string(exit_code) + (said.empty() ? "" : ": " + said));
}

void DemoWorld::finish(const std::string& name, std::vector<std::string> argv) {
  auto child = launch(name, std::move(argv), false);
  for (Deadline deadline(kCommandLimit); !deadline.passed(); check_alive())
    if (auto code = child->wait(Deadline(kLook), &stop_)) {
      if (*code != 0) fail(name, *code);
      return;
    }
  throw TimedOut(name + " takes too long: " + last_lines(log_of(name), 2));
}

std::string DemoWorld::skytools(const std::vector<std::string>& args) {
  std::vector<std::string> argv{fs::read_symlink("/proc/self/exe")};
  argv.insert(argv.end(), args.begin(), args.end());
  auto before = fs::exists(log_of("skytools")) ? fs::file_size(log_of("skytools")) : 0;
  finish("skytools", argv);
  return read_file(log_of("skytools")).substr(before);
}

void DemoWorld::start_skytools(const std::string& name, const std::vector<std::string>& args) {
  std::vector<std::string> argv{fs::read_symlink("/proc/self/exe")};
  argv.insert(argv.end(), args.begin(), args.end());
  processes_.push_back({name, launch(name, argv, keep_)});
}

void DemoWorld::postgres_program(const std::string& name, const std::vector<std::string>& args) {
  std::vector<std::string> argv{server_binaries() / name};
  argv.insert(argv.end(), args.begin(), args.end());
  finish(name, argv);
}

void DemoWorld::start_load(const std::vector<std::string>& pgbench_args) {
  std::vector<std::string> argv{server_binaries() / "pgbench", "-T", std::to_string(kLongLoad)};
  argv.insert(argv.end(), pgbench_args.begin(), pgbench_args.end());
  load_ = launch("load", argv, false);
}

std::int64_t DemoWorld::end_load() {
  // pgbench's own timer is an alarm: the same signal ends it early, and it still tells what it did.
  load_->signal(SIGALRM);
  auto code = load_->wait(Deadline(kGrace), &stop_);
  if (!code) throw TimedOut("the load does not end");
  if (*code != 0) fail("load", *code);
  load_.reset();
  return transactions();
}

std::int64_t DemoWorld::wait_refused() {
  if (!load_->wait(Deadline(kGrace), &stop_)) throw TimedOut("the load goes on where it should be refused");
  load_.reset();
  refusal_ = false;
  std::string report = read_file(log_of("load"));
  if (report.find("disallowed") == std::string::npos && report.find("not allowed") == std::string::npos)
    throw Error("the load ended, but not because it was refused: " + last_lines(log_of("load"), 2));
  return transactions();
}

std::int64_t DemoWorld::transactions() const {
  constexpr std::string_view kDone = "number of transactions actually processed: ";
  std::string report = read_file(log_of("load"));
  auto at = report.rfind(kDone);
  return at == std::string::npos ? 0 : std::atoll(report.c_str() + at + kDone.size());
}

void DemoWorld::check_alive() {
  for (auto& p : processes_)
    if (auto code = p.child->wait(Deadline(milliseconds(0)))) fail(p.name, *code);
  if (load_ && !refusal_)
    if (auto code = load_->wait(Deadline(milliseconds(0)))) fail("load", *code);
  for (auto& s : servers_)
    if (!s->running()) throw Error("a server ended unexpectedly: " + last_lines(s->log(), 2));
}

void DemoWorld::wait(milliseconds d) {
  for (Deadline end(d); !end.passed();) {
    if (!stop_.wait(end.left(kLook))) throw Stopped();
    check_alive();
  }
}

std::vector<pid_t> DemoWorld::pids() {
  std::vector<pid_t> out;
  for (auto& p : processes_) out.push_back(p.child->pid());
  for (auto& s : servers_) out.push_back(s->pid());
  return out;
}

void DemoWorld::release() {
  for (auto& p : processes_) p.child->release();
  processes_.clear();
  for (auto& s : servers_) s->release();
  folder_.release();
}

}  // namespace skytools::run
