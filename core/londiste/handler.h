#pragma once
#include <map>
#include <memory>
#include <string>

#include "core/londiste/change.h"
#include "core/londiste/table.h"
#include "core/pgq/event.h"

namespace skytools::londiste {

/// Turns the events of one table into steps. Pure: no database, so it is tested with strings.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Adds the steps of `e` to `plan`. @throws Error  naming the event
  virtual void plan(const pgq::Event& e, ApplyPlan& plan) = 0;
};

/// Makes the handler of a table from its attributes (`handler=NAME(arguments)`, none: londiste).
/// @throws Error  for an unknown handler or argument
std::unique_ptr<Handler> make_handler(const Table& table);

}  // namespace skytools::londiste
