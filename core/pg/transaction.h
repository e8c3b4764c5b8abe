#pragma once
#include <future>
#include <initializer_list>
#include <thread>

#include "core/pg/connection.h"

namespace skytools::pg {

/// What BEGIN says. autocommit: no BEGIN at all, each statement is its own transaction (VACUUM, LISTEN, single calls).
enum class Mode { read_write, read_only, repeatable_read, autocommit };

/// BEGIN … COMMIT as a scope, and the only object that can run SQL. Leaving the scope without commit() rolls back.
class Transaction {
 public:
  explicit Transaction(Connection& c, Mode mode = Mode::read_write);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  /// One statement, extended protocol. @throws SqlError, Stopped, TimedOut
  template <class... A>
  Result exec(const std::string& sql, A&&... args) {
    const Param params[] = {Param(std::forward<A>(args))..., Param(std::nullopt)};
    return exec_list(sql, std::span(params, sizeof...(A)));
  }
  Result exec_list(const std::string& sql, std::span<const Param> params) {
    return connection().exec(sql.c_str(), params);
  }
  /// Any number of statements in one string, simple protocol; the last result. Must not end the transaction.
  Result script(const std::string& sql) { return connection().exec_script(sql); }
  /// Exactly one row, or Error. optional<T> columns may be NULL, plain T may not.
  template <class... T, class... A>
  std::tuple<T...> one(const std::string& sql, A&&... args) {
    Result r = exec(sql, std::forward<A>(args)...);
    if (r.rows() != 1)
      throw Error("[" + c_.label() + "] expected one row, got " + std::to_string(r.rows()) + ": " + sql);
    return r.template row<T...>(0);
  }
  /// A single value of exactly one row.
  template <class T, class... A>
  T value(const std::string& sql, A&&... args) {
    return std::get<0>(one<T>(sql, std::forward<A>(args)...));
  }
  /// @throws CommitInDoubt  when the link dies before the answer
  void commit();
  void rollback();
  /// For a scope that borrows the transaction (Pipeline, CopyIn, CopyOut). Settles first, like every statement.
  Connection& connection() {
    settle();
    return c_;
  }

  /// Has `work` use this transaction in a thread of its own while the caller goes on with something else. What the
  /// caller does next with the transaction waits for it, so statements keep their order; its error comes up there.
  /// `work` must own what it needs or refer to what outlives the transaction.
  template <class Work>
  void background(Work work) {
    settle();
    owner_ = std::this_thread::get_id();
    // deferred: where no thread can be had, settle() does the work itself.
    work_ = std::async(std::launch::async | std::launch::deferred, std::move(work));
  }
  /// Waits for the background work, if there is any: as long as its statements take, or until a stop cancels them.
  /// @throws what the work threw
  void settle();

 private:
  Connection& c_;
  bool open_;
  std::thread::id owner_;  ///< who has to wait for work_; nobody's while there is none
  std::future<void> work_;
};

/// LISTEN on a channel (quoted as an identifier). False when the session cannot keep it (a transaction pooler).
bool listen(Connection& c, const std::string& channel);

}  // namespace skytools::pg
