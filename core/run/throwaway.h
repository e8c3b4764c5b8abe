#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "core/run/child.h"
#include "core/run/temp_folder.h"

namespace skytools::run {

/// What a throwaway server is like.
struct ThrowawayOptions {
  std::filesystem::path base = {};    ///< folder that gets the server's own; empty: $TMPDIR, else /tmp
  std::string settings = {};          ///< more lines of postgresql.conf
  std::string wal_level = "minimal";  ///< minimal, replica or logical
  bool durable =
      false;        ///< fsync and full page writes, for measurements; without, only a crash of the machine loses data
  int port = 5432;  ///< only names the socket
  bool outlive_us = false;          ///< no death signal: for servers that may be left behind with release()
  const StopToken* stop = nullptr;  ///< ends every wait with Stopped
};

/// A PostgreSQL server for tests, the demo and measurements: own folder, unix socket only, superuser `postgres` without
/// a password. The first one of a process pays for initdb, later ones copy its result. Stopped and removed with the
/// object; the server gets SIGQUIT when the *thread* that started it ends (also by kill -9 of the process), so make and
/// start it in one that lives long enough, best the main thread. As root the server runs as the user postgres, or
/// nobody.
class ThrowawayServer {
 public:
  /// Creates and starts. @throws Error  with the end of the server's log; Stopped
  explicit ThrowawayServer(const ThrowawayOptions& options = {});
  ~ThrowawayServer();

  std::string conninfo(const std::string& database) const;
  /// Creates an empty database. @return its connect string
  std::string new_database(const std::string& name);

  void start();  ///< and waits until it takes connections, recovery included
  void stop();   ///< fast: sessions end, everything is written
  void restart() { stop(), start(); }
  void crash();  ///< SIGQUIT: nothing is written, the next start() recovers
  void kill9();  ///< SIGKILL to every process of the server, as a power cut
  bool running() { return server_ && server_->running(); }
  pid_t pid() const { return server_ ? server_->pid() : -1; }

  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path log() const { return folder_.path() / "log"; }
  /// Server and folder stay when the object goes; needs `outlive_us`.
  void release();

 private:
  void write_settings();
  void end_with(int signal_number);

  ThrowawayOptions options_;
  std::string user_;  ///< empty: as us
  TempFolder folder_;
  std::unique_ptr<TempFolder> socket_folder_;  ///< only when the path of ours is too long for a socket
  std::unique_ptr<Child> server_;
};

/// The folder of initdb and postgres: $SKYTOOLS_PG_BINDIR, else what pg_config says, else the newest of the usual
/// places, else PATH. @throws Error  saying what to install
std::filesystem::path server_binaries();

}  // namespace skytools::run
