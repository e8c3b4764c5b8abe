#include "core/config/settings.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::config {

namespace {

constexpr std::string_view kTrue[] = {"true", "yes", "on", "1"};
constexpr std::string_view kFalse[] = {"false", "no", "off", "0", ""};

bool one_of(std::span<const std::string_view> words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::int64_t parse_integer(std::string_view text) {
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    throw UsageError("not a whole number: '" + std::string(text) + "'");
  return number;
}

void check_choice(const Option& option, const std::string& text) {
  auto choices = split(option.choices, '|');
  if (std::find(choices.begin(), choices.end(), text) != choices.end()) return;
  throw UsageError("'" + text + "' is not one of " + join(choices, ", "));
}

/// @throws UsageError  when one item isn't of the option's type; the empty text means "not set" and fits all but lists
void check(const Option& option, const std::string& text) {
  if (text.empty()) return;
  switch (option.type) {
    case Type::integer:
    case Type::count:
      parse_integer(text);
      break;
    case Type::duration:
      parse_duration(text);
      break;
    case Type::size:
      parse_size(text);
      break;
    case Type::boolean:
      if (!one_of(kTrue, lower(text)) && !one_of(kFalse, lower(text)))
        throw UsageError("'" + text + "' is neither true nor false");
      break;
    case Type::text:
    case Type::list:
      break;
  }
  if (!option.choices.empty()) check_choice(option, text);
}

void check(const Option& option, const Value& value) {
  try {
    if (option.type != Type::list && value.items.size() > 1) throw UsageError("must be a single value");
    for (auto& item : value.items) check(option, item);
  } catch (const UsageError& e) {
    throw UsageError(value.origin + ": " + std::string(option.key) + ": " + (option.secret ? "bad value" : e.what()));
  }
}

Value built_in(const Option& option) {
  Value value{{}, "built-in"};
  if (option.type == Type::list)
    value.items = split(option.fallback, ',');
  else if (!option.fallback.empty())
    value.items = {std::string(option.fallback)};
  return value;
}

}  // namespace

Settings::Settings(std::vector<Options> tables, const std::vector<Layer>& layers) : tables_(std::move(tables)) {
  for (Options table : tables_) {
    for (const Option& option : table) {
      if (values_.contains(option.key)) continue;  // shadowed by an earlier table
      Value value = built_in(option);
      for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
        if (auto found = layer->find(option.key); found != layer->end()) value = found->second;
      check(option, value);
      values_.emplace(option.key, std::move(value));
    }
  }
}

const Value& Settings::at(std::string_view key) const {
  auto found = values_.find(key);
  if (found == values_.end()) throw std::logic_error("no option table declares '" + std::string(key) + "'");
  return found->second;
}

bool Settings::has(std::string_view key) const {
  auto found = values_.find(key);
  if (found == values_.end()) return false;
  auto& items = found->second.items;
  return std::any_of(items.begin(), items.end(), [](auto& item) { return !item.empty(); });
}

bool Settings::given(std::string_view key) const {
  auto found = values_.find(key);
  return found != values_.end() && found->second.origin != "built-in";
}

std::string Settings::text(std::string_view key) const { return join(at(key).items, ","); }

std::int64_t Settings::integer(std::string_view key) const {
  auto value = text(key);
  return value.empty() ? 0 : parse_integer(value);
}

std::chrono::milliseconds Settings::duration(std::string_view key) const {
  auto value = text(key);
  return value.empty() ? std::chrono::milliseconds(0) : parse_duration(value);
}

std::int64_t Settings::size(std::string_view key) const {
  auto value = text(key);
  return value.empty() ? 0 : parse_size(value);
}

bool Settings::boolean(std::string_view key) const { return one_of(kTrue, lower(text(key))); }

std::vector<std::string> Settings::list(std::string_view key) const { return at(key).items; }

std::string Settings::origin(std::string_view key) const { return at(key).origin; }

std::vector<Settings::Shown> Settings::show() const {
  std::vector<Shown> rows;
  std::vector<std::string_view> seen;
  for (Options table : tables_) {
    for (const Option& option : table) {
      if (std::find(seen.begin(), seen.end(), option.key) != seen.end()) continue;
      seen.push_back(option.key);
      std::string value = text(option.key);
      if (option.secret && !value.empty()) value = "***";
      rows.push_back({&option, mask_password(value), origin(option.key)});
    }
  }
  return rows;
}

}  // namespace skytools::config
