#include "core/pg/error.h"

#include <algorithm>

namespace skytools::pg {

SqlError::SqlError(std::string connection, std::string sqlstate, const std::string& message, int position)
    : Error("[" + connection + "] " + message + (sqlstate.empty() ? "" : " (" + sqlstate + ")")),
      connection_(std::move(connection)),
      sqlstate_(std::move(sqlstate)),
      message_(message),
      position_(position) {}

bool SqlError::connection_lost() const noexcept {
  return sqlstate_.empty() || sqlstate_.starts_with("08") || sqlstate_.starts_with("57P0");
}

bool SqlError::retryable() const noexcept {
  return connection_lost() || sqlstate_ == "40001" || sqlstate_ == "40P01" || sqlstate_ == "55P03";
}

}  // namespace skytools::pg
