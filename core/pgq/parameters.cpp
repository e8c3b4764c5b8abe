#include "core/pgq/parameters.h"

#include <charconv>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::pgq {

namespace {

using Kind = Parameter::Kind;
constexpr Parameter kParameters[] = {
    {"ticker_max_count", Kind::count, false},
    {"ticker_max_lag", Kind::duration, false},
    {"ticker_idle_period", Kind::duration, false},
    {"ticker_paused", Kind::boolean, false},
    {"rotation_period", Kind::duration, false},
    {"external_ticker", Kind::boolean, false},
    {"retry_limit", Kind::limit, true},
    {"retry_delay", Kind::duration, true},
    {"retry_backoff", Kind::factor, true},
    {"retry_delay_max", Kind::duration, true},
};
constexpr std::string_view kPrefix = "queue_";

constexpr std::string_view expected(Kind kind) {
  switch (kind) {
    case Kind::count:
      return "a number above 0";
    case Kind::limit:
      return "a number, or none";
    case Kind::duration:
      return "a duration such as 250ms, 3s or 2h";
    case Kind::boolean:
      return "yes or no";
    case Kind::factor:
      return "a factor from 1 to 1000, such as 2 or 1.5";
  }
  return "";
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> boolean(const std::string& word) {
  for (auto yes : {"yes", "true", "on", "1"})
    if (word == yes) return "true";
  for (auto no : {"no", "false", "off", "0"})
    if (word == no) return "false";
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> duration(const std::string& text) {
  try {
    return parse_duration(text);
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

/// A value that is no duration in SQL's form; nullopt when it does not fit.
std::optional<std::string> normal(Kind kind, const std::string& text) {
  if (kind == Kind::boolean) return boolean(lower(text));
  if (kind == Kind::factor) {
    auto factor = number<double>(text);
    return factor && *factor >= 1 && *factor <= 1000 ? std::optional(text) : std::nullopt;
  }
  auto count = number<int>(text);
  return count && *count >= (kind == Kind::count ? 1 : 0) ? std::optional(std::to_string(*count)) : std::nullopt;
}

const Parameter& parameter_named(std::string_view name) {
  std::string_view bare = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
  std::vector<std::string> known;
  for (auto& p : kParameters) {
    if (p.name == bare) return p;
    known.emplace_back(p.name);
  }
  std::string near = closest(bare, known);
  throw UsageError("unknown parameter '" + std::string(name) + "'; " +
                   (near.empty() ? "known are " + join(known, ", ") : "did you mean '" + near + "'?"));
}

}  // namespace

std::span<const Parameter> parameters() { return kParameters; }

std::string interval_text(std::chrono::milliseconds d) {
  bool whole = d.count() % 1000 == 0;
  return whole ? std::to_string(d.count() / 1000) + " seconds" : std::to_string(d.count()) + " milliseconds";
}

Step Assignment::step(const std::string& queue) const {
  std::string name(parameter->name);
  return parameter->policy ? step::set_queue_policy(queue, name, value)
                           : step::set_queue_config(queue, name, value.value());
}

Assignment parse_assignment(const std::string& text) {
  auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw UsageError("not of the form parameter=value: '" + text + "'");
  const Parameter& parameter = parameter_named(trim(text.substr(0, equals)));
  std::string value(trim(std::string_view(text).substr(equals + 1)));
  if (parameter.kind == Kind::limit && lower(value) == "none") return {&parameter, std::nullopt};
  if (parameter.kind == Kind::duration)
    if (auto d = duration(value)) return {&parameter, interval_text(*d), *d};
  auto fit = parameter.kind == Kind::duration ? std::nullopt : normal(parameter.kind, value);
  if (!fit)
    throw UsageError(std::string(parameter.name) + ": not " + std::string(expected(parameter.kind)) + ": '" + value +
                     "'");
  return {&parameter, fit};
}

std::vector<Assignment> parse_assignments(const std::vector<std::string>& texts) {
  std::vector<Assignment> out;
  for (auto& text : texts) {
    Assignment next = parse_assignment(text);
    for (auto& earlier : out)
      if (earlier.parameter == next.parameter)
        throw UsageError("parameter " + std::string(next.parameter->name) + " is given twice");
    out.push_back(next);
  }
  return out;
}

}  // namespace skytools::pgq
