#pragma once
#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace skytools::pg {

/// A failure of one server or one statement: `[name host/db] message (sqlstate)`, one line, never a password.
class SqlError : public Error {
 public:
  SqlError(std::string connection, std::string sqlstate, const std::string& message, int position = 0);
  const std::string& connection() const noexcept { return connection_; }  ///< label: name and where it leads
  const std::string& sqlstate() const noexcept {
    return sqlstate_;
  }  ///< five characters; empty: the server never answered
  const std::string& message() const noexcept { return message_; }  ///< the text alone
  int position() const noexcept { return position_; }               ///< character of the statement, from 1; 0: unknown
  bool connection_lost() const noexcept;                            ///< empty, class 08, 57P01…57P03
  bool retryable() const noexcept;                                  ///< lost, 40001, 40P01, 55P03

 private:
  std::string connection_, sqlstate_, message_;
  int position_;
};

/// No usable connection: no server, no such database, login refused, or the deadline passed. Exit code 4.
class ConnectError : public SqlError {
 public:
  using SqlError::SqlError;
};

/// The link broke between COMMIT and its answer: the outcome is unknown, ask the server before retrying.
class CommitInDoubt : public SqlError {
 public:
  using SqlError::SqlError;
};

/// A statement of a pipeline failed; `tag` is what was given with the statement.
class PipelineError : public SqlError {
 public:
  PipelineError(const SqlError& cause, std::int64_t tag) : SqlError(cause), tag_(tag) {}
  std::int64_t tag() const noexcept { return tag_; }

 private:
  std::int64_t tag_;
};

}  // namespace skytools::pg
