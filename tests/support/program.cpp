#include "tests/support/program.h"

#include <csignal>
#include <fstream>
#include <memory>

#include "core/base/error.h"
#include "core/run/throwaway.h"

namespace skytools::test {

namespace {

run::Launch launch(std::vector<std::string> argv, const ProgramOptions& options, const run::TempFolder& files) {
  std::ofstream(files.path() / "in") << options.input;
  for (const char* stream : {"out", "err"}) std::ofstream(files.path() / stream).flush();
  run::Launch l{.argv = std::move(argv),
                .env = run::without_settings(),
                .folder = options.folder,
                .in = files.path() / "in",
                .out = files.path() / "out",
                .err = files.path() / "err",
                .death_signal = SIGKILL};
  for (auto& [name, value] : options.env) {
    std::erase_if(l.env, [&n = name](auto& entry) { return entry.first == n; });
    l.env.emplace_back(name, value);
  }
  return l;
}

std::vector<std::string> with_program(std::string program, const std::vector<std::string>& args) {
  std::vector<std::string> argv{std::move(program)};
  argv.insert(argv.end(), args.begin(), args.end());
  return argv;
}

}  // namespace

Output run_program(const std::vector<std::string>& argv, const ProgramOptions& options) {
  run::TempFolder files("", "skytools-test");
  run::Child child(launch(argv, options, files));
  auto code = child.wait(Deadline(options.limit));
  if (!code) throw TimedOut(argv.at(0) + " still runs: " + run::last_lines(files.path() / "err", 5));
  return {*code, run::read_file(files.path() / "out"), run::read_file(files.path() / "err")};
}

Output run_skytools(const std::vector<std::string>& args, const ProgramOptions& options) {
  return run_program(with_program(SKYTOOLS_BINARY, args), options);
}

Output pgbench(const std::string& conninfo, const std::vector<std::string>& args) {
  auto argv = with_program(run::server_binaries() / "pgbench", args);
  argv.push_back(conninfo);
  Output o = run_program(argv, {.limit = std::chrono::minutes(5)});
  if (o.exit != 0) throw Error("pgbench failed: " + o.err);
  return o;
}

Background::Background(const std::vector<std::string>& args, const ProgramOptions& options)
    : files_("", "skytools-test"),
      child_(std::make_unique<run::Child>(launch(with_program(SKYTOOLS_BINARY, args), options, files_))) {}

int Background::wait(milliseconds limit) {
  auto code = child_->wait(Deadline(limit));
  if (!code) throw TimedOut("skytools still runs: " + run::last_lines(files_.path() / "err", 5));
  return *code;
}

int Background::stop(milliseconds limit) {
  signal(SIGTERM);
  return wait(limit);
}

void Background::kill() {
  signal(SIGKILL);
  child_->wait(Deadline());
}

std::string Background::out() const { return run::read_file(files_.path() / "out"); }
std::string Background::log() const { return run::read_file(files_.path() / "err"); }

}  // namespace skytools::test
