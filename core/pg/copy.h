#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/pg/transaction.h"

namespace skytools::pg {

/// COPY … TO STDOUT as a scope. Dropping it before the end leaves the connection unusable (lost).
class CopyOut {
 public:
  CopyOut(Transaction& tx, const std::string& sql);
  CopyOut(const CopyOut&) = delete;
  CopyOut& operator=(const CopyOut&) = delete;
  ~CopyOut();
  /// The next data chunk (one row in text format), valid until the next call; nullopt at the end. @throws SqlError
  std::optional<std::string_view> next();
  /// Frees the chunk that next() gave, before the next call would.
  void release() noexcept;

 private:
  friend class CopyRelay;
  Connection& c_;
  char* buffer_ = nullptr;
  bool open_ = true;
};

/// COPY … FROM STDIN as a scope. Dropping it before finish() aborts the COPY.
class CopyIn {
 public:
  CopyIn(Transaction& tx, const std::string& sql);
  CopyIn(const CopyIn&) = delete;
  CopyIn& operator=(const CopyIn&) = delete;
  ~CopyIn();
  /// Sends bytes; blocks (interruptibly) while the server does not take them. Rows may be split anywhere. @throws
  /// SqlError
  void put(std::string_view data);
  /// Ends the COPY. @return rows stored  @throws SqlError
  std::int64_t finish();

 private:
  friend class CopyRelay;
  void flush(bool all);
  Connection& c_;
  bool open_ = true;
  std::size_t unflushed_ = 0;
};

struct CopyTotals {
  std::int64_t rows = 0, bytes = 0;
};

/// Moves all data of `from` into `to` through one poll loop over both sockets, reading only while the target keeps up.
/// `progress` is called every few hundred rows. @return what was moved; the COPY on both sides is finished
CopyTotals relay(CopyOut& from, CopyIn& to, const std::function<void(const CopyTotals&)>& progress = {});

}  // namespace skytools::pg
