#include "core/ui/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>

#include "core/base/duration.h"
#include "core/base/strings.h"
#include "core/ui/terminal.h"

namespace skytools::ui {

namespace {

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

/// Columns a terminal needs for the text: UTF-8 continuation bytes take none.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

/// A cell must not break the layout.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return text;
}

std::string key_of(const std::string& heading) {
  std::string key = lower(heading);
  std::replace(key.begin(), key.end(), ' ', '_');
  return key;
}

}  // namespace

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Cell::text() const {
  return std::visit(
      Overload{[](std::monostate) { return std::string("-"); }, [](const std::string& v) { return one_line(v); },
               [](bool v) { return std::string(v ? "yes" : "no"); }, [](std::int64_t v) { return std::to_string(v); },
               [](double v) { return number(v); }, [](std::chrono::milliseconds v) { return format_duration(v); },
               [](const std::vector<std::string>& v) { return one_line(v.empty() ? "-" : join(v, ", ")); },
               [](const Json& v) { return one_line(v.text); }},
      value_);
}

std::string Cell::json() const {
  return std::visit(
      Overload{[](std::monostate) { return std::string("null"); }, [](const std::string& v) { return json_string(v); },
               [](bool v) { return std::string(v ? "true" : "false"); },
               [](std::int64_t v) { return std::to_string(v); }, [](double v) { return nlohmann::json(v).dump(); },
               [](std::chrono::milliseconds v) { return number(static_cast<double>(v.count()) / 1000); },
               [](const std::vector<std::string>& v) {
                 std::vector<std::string> items;
                 for (auto& item : v) items.push_back(json_string(item));
                 return "[" + join(items, ", ") + "]";
               },
               [](const Json& v) { return v.text; }},
      value_);
}

bool Cell::right() const {
  return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<double>(value_) ||
         std::holds_alternative<std::chrono::milliseconds>(value_);
}

Column::Column(std::string h, std::string k) : heading(std::move(h)), key(k.empty() ? key_of(heading) : std::move(k)) {}

Table& Table::add(Row row) {
  if (row.size() != columns_.size()) throw std::logic_error("a row does not fit its table");
  rows_.push_back(std::move(row));
  return *this;
}

void Table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  std::vector<bool> right(columns_.size(), false);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    widths.push_back(width(columns_[c].heading));
    for (auto& row : rows_) {
      widths[c] = std::max(widths[c], width(row[c].text()));
      right[c] = right[c] || row[c].right();
    }
  }
  auto line = [&](auto&& text_of) {
    std::string text;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      std::string cell = text_of(c);
      std::size_t blanks = widths[c] - width(cell);
      text += (c ? "  " : "") + (right[c] ? std::string(blanks, ' ') + cell : cell + std::string(blanks, ' '));
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  out << bold(line([&](std::size_t c) { return columns_[c].heading; })) << '\n';
  for (auto& row : rows_) out << line([&](std::size_t c) { return row[c].text(); }) << '\n';
}

std::string Table::object(const Row& row) const {
  std::vector<std::pair<std::string, Cell>> members;
  for (std::size_t c = 0; c < columns_.size(); ++c) members.emplace_back(columns_[c].key, row[c]);
  return json_object(members);
}

void Table::print_json(std::ostream& out) const {
  out << '[';
  for (std::size_t r = 0; r < rows_.size(); ++r) out << (r ? ",\n " : "") << object(rows_[r]);
  out << "]\n";
}

void Table::print_lines(std::ostream& out) const {
  for (auto& row : rows_) out << object(row) << '\n';
}

Json Table::json() const {
  std::vector<std::string> objects;
  for (auto& row : rows_) objects.push_back(object(row));
  return {"[" + join(objects, ", ") + "]"};
}

std::string json_object(const std::vector<std::pair<std::string, Cell>>& members) {
  std::string out = "{";
  for (auto& [key, value] : members) out += (out.size() > 1 ? ", " : "") + json_string(key) + ": " + value.json();
  return out + "}";
}

}  // namespace skytools::ui
