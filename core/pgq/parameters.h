#pragma once
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/pgq/step.h"

namespace skytools::pgq {

/// One parameter of a queue that `queue set` and `queue create --set` know.
struct Parameter {
  enum class Kind { count, limit, duration, boolean, factor };
  std::string_view name;  ///< without the prefix `queue_` of its column
  Kind kind;
  bool policy;  ///< of skytools.set_queue_policy, else of pgq.set_queue_config
};
std::span<const Parameter> parameters();

/// A parameter with its value as SQL takes it.
struct Assignment {
  const Parameter* parameter;
  std::optional<std::string> value;       ///< nullopt: no limit
  std::chrono::milliseconds duration{0};  ///< the same, for a duration

  Step step(const std::string& queue) const;
};

/// Reads `name=value`; the name may carry the prefix `queue_`. Durations are "250ms", "2h30m", a bare number is
/// seconds; booleans yes/no, on/off, true/false, 1/0; a limit may be `none`.
/// @throws UsageError  unknown name, with a suggestion, or unfit value, with what is expected
Assignment parse_assignment(const std::string& text);
/// The same for several. @throws UsageError  also for a name that comes twice
std::vector<Assignment> parse_assignments(const std::vector<std::string>& texts);

/// An interval as SQL takes it: "3 seconds", "250 milliseconds".
std::string interval_text(std::chrono::milliseconds d);

}  // namespace skytools::pgq
