#pragma once
#include <string>
#include <vector>

#include "core/pgq/event.h"

namespace skytools::consumer {

/// The statement of `consumer run --sql`: its parameters `$1`…`$9` stand for columns of the event. The server wants
/// them numbered without gaps (it could not tell the type of one that isn't used), so those in use are numbered anew.
struct Statement {
  std::string sql;           ///< with parameters $1 … $n
  std::vector<int> columns;  ///< what each of them stood for, 1 … 9

  /// @throws UsageError  on `$0`, `$10` and beyond
  static Statement parse(const std::string& text);
};

/// An event's values for the parameters of a statement, as text; null is NULL. They point into the event and into this.
class Parameters {
 public:
  Parameters(const Statement& statement, const pgq::Event& e);
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;
  const std::vector<const char*>& values() const { return values_; }

 private:
  std::string id_, retry_;
  std::vector<const char*> values_;
};

}  // namespace skytools::consumer
