#pragma once
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/deadline.h"
#include "core/base/stop.h"
#include "core/pg/error.h"
#include "core/pg/result.h"

namespace skytools::pg {

/// How to connect and how long to wait.
struct ConnectOptions {
  milliseconds connect_timeout = std::chrono::seconds(10);  ///< whole connect, all hosts
  milliseconds statement_timeout{0};                        ///< per statement, client side; 0: none
  const StopToken* stop = nullptr;                          ///< request() ends connecting, cancel() ends statements
  std::string application_name = "skytools";
  std::function<void()> on_wait = {};  ///< called every few seconds while waiting: a sign of life
};

/// A NOTIFY that arrived.
struct Notification {
  std::string channel, payload;
};

/// One libpq connection, non-blocking inside: every wait poll()s socket, stop and deadline. Statements run through
/// Transaction (or Pipeline, CopyIn, CopyOut, which borrow one). Not thread safe.
class Connection {
 public:
  /// Connects. @param name  how messages call it ("provider")  @param conninfo  libpq keyword string, URI, or "" for
  /// defaults
  /// @throws ConnectError, Stopped
  Connection(std::string name, const std::string& conninfo, const ConnectOptions& options = {});
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  const std::string& label() const noexcept { return label_; }  ///< "provider db1/shop", for messages
  bool lost() const noexcept { return lost_ || PQstatus(raw()) == CONNECTION_BAD; }
  int server_version() const noexcept { return PQserverVersion(raw()); }  ///< 150004
  std::string database() const { return PQdb(raw()); }
  /// Where this connection leads, for a command a message proposes: "host=db1 port=5432 dbname=shop"; no user, no
  /// password.
  std::string address() const;
  int backend_pid() const noexcept { return PQbackendPID(raw()); }
  int socket() const noexcept { return PQsocket(raw()); }
  void set_statement_timeout(milliseconds t) noexcept { options_.statement_timeout = t; }
  const StopToken* stop() const noexcept { return options_.stop; }

  /// Notifications that have arrived so far; reads the socket without waiting. @throws SqlError  when the link is gone
  std::vector<Notification> notifications();
  /// Waits up to `d` for input on the socket, or a stop request. False on a stop.
  bool wait_readable(milliseconds d);

  /// Statements prepared on this connection by Pipeline users: name by key, forgotten with the connection.
  std::map<std::string, std::string, std::less<>>& prepared() noexcept { return prepared_; }

 private:
  friend class Transaction;
  friend class Pipeline;
  friend class CopyOut;
  friend class CopyIn;
  friend class CopyRelay;

  PGconn* raw() const noexcept { return conn_.get(); }
  void connect(const std::string& conninfo);
  /// Sends nothing, waits for what was sent: flushes, then reads until a result can be taken without blocking.
  void wait_result(const Deadline& deadline);
  /// poll() for the socket, cancel and deadline. Returns revents of the socket. @throws Stopped, TimedOut via
  /// cancel_and_fail
  short wait_socket(short events, const Deadline& deadline);
  Result collect(const Deadline& deadline);  ///< all results of one query; throws the first error
  void require_ready() const;                ///< @throws SqlError, Stopped  when no statement may be sent
  Result exec(const char* sql, std::span<const Param> params);
  Result exec_script(const std::string& sql);
  void collect_closing();  ///< the answer to what ends a transaction or COPY early
  void rollback();         ///< not ended by the stop: locks are given back before we go
  [[noreturn]] void fail(const PGresult* r);
  [[noreturn]] void cancel_and_throw(bool timed_out);
  void drain_after_cancel();
  Deadline statement_deadline() const;
  SqlError error_from(const PGresult* r) const;

  std::string name_, label_;
  ConnectOptions options_;
  ConnPtr conn_;
  bool lost_ = false;  ///< protocol state unknown: nothing may be sent any more
  bool cancelling_ = false;
  std::map<std::string, std::string, std::less<>> prepared_;
};

/// Waits up to `d` for input on any of the sockets (null: none), or a stop request. False on a stop.
bool wait_readable(std::initializer_list<const Connection*> connections, milliseconds d, const StopToken& stop);

/// The words of a connection string a message may show: "host/dbname", no user, no password.
std::string conninfo_summary(const std::string& conninfo);
/// The same connection string with any password replaced by "***" (for config show and listings).
std::string mask_password(const std::string& conninfo);
/// `conninfo` (keyword string or URI) with one keyword set to another value, as a keyword string.
std::string with_keyword(const std::string& conninfo, const std::string& keyword, const std::string& value);

}  // namespace skytools::pg
