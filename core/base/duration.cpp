#include "core/base/duration.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "core/base/error.h"

namespace skytools {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr Unit kTimeUnits[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"min", 6e4}, {"h", 36e5}, {"d", 864e5}};
constexpr Unit kSizeUnits[] = {{"B", 1},        {"kB", 1024},       {"KB", 1024},
                               {"MB", 1048576}, {"GB", 1073741824}, {"TB", 1099511627776}};

/// A sum of number+unit pairs; `bare` is the factor of a number without a unit (allowed only alone).
template <std::size_t N>
double parse_units(std::string_view text, const Unit (&units)[N], double bare, const char* what) {
  auto bad = [&] { return UsageError("not a " + std::string(what) + ": '" + std::string(text) + "'"); };
  double sum = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    double number = 0;
    auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (ec != std::errc{} || number < 0) throw bad();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::size_t length = 0;
    while (length < rest.size() && std::isalpha(static_cast<unsigned char>(rest[length]))) ++length;
    std::string_view name = rest.substr(0, length);
    rest.remove_prefix(length);
    if (name.empty() && rest.empty() && sum == 0) return number * bare;
    const Unit* unit = nullptr;
    for (auto& u : units)
      if (u.name == name) unit = &u;
    if (!unit) throw bad();
    sum += number * unit->factor;
  }
  if (text.empty()) throw bad();
  return sum;
}

}  // namespace

std::chrono::milliseconds parse_duration(std::string_view text, std::chrono::milliseconds bare_unit) {
  return std::chrono::milliseconds(
      std::llround(parse_units(text, kTimeUnits, static_cast<double>(bare_unit.count()), "duration")));
}

std::string format_duration(std::chrono::milliseconds d) {
  auto ms = d.count();
  char text[48];
  if (ms == 0) return "0s";
  if (ms < 1000) return std::to_string(ms) + "ms";
  if (ms < 60'000) {
    std::snprintf(text, sizeof text, "%.*f", ms < 10'000 ? 2 : 1, static_cast<double>(ms) / 1000);
    std::string number = text;
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
    return number + "s";
  }
  auto s = ms / 1000;
  if (s < 3600)
    std::snprintf(text, sizeof text, "%ldm%lds", static_cast<long>(s / 60), static_cast<long>(s % 60));
  else
    std::snprintf(text, sizeof text, "%ldh%ldm", static_cast<long>(s / 3600), static_cast<long>(s % 3600 / 60));
  return text;
}

std::int64_t parse_size(std::string_view text) { return std::llround(parse_units(text, kSizeUnits, 1, "size")); }

std::string format_size(std::int64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr const char* kNames[] = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / 1024;
  int unit = 0;
  while (value >= 1024 && unit < 3) value /= 1024, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kNames[unit]);
  return text;
}

}  // namespace skytools
