#pragma once
#include <initializer_list>

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
    return c_.exec(sql.c_str(), std::span(params, sizeof...(A)));
  }
  Result exec_list(const std::string& sql, std::span<const Param> params) { return c_.exec(sql.c_str(), params); }
  /// Any number of statements in one string, simple protocol; the last result. Must not end the transaction.
  Result script(const std::string& sql) { return c_.exec_script(sql); }
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
  Connection& connection() noexcept { return c_; }

 private:
  Connection& c_;
  bool open_;
};

/// LISTEN on a channel (quoted as an identifier). False when the session cannot keep it (a transaction pooler).
bool listen(Connection& c, const std::string& channel);

}  // namespace skytools::pg
