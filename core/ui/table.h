#pragma once
#include <chrono>
#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace skytools::ui {

/// JSON made elsewhere, to stand inside of other JSON.
struct Json {
  std::string text;
};

/// One value of a row. For people / in JSON: nothing = "-" / null; durations "1.5s" / seconds as a number; lists "a, b"
/// / an array.
class Cell {
 public:
  Cell() = default;
  Cell(std::string v) : value_(std::move(v)) {}
  Cell(std::string_view v) : value_(std::string(v)) {}
  Cell(const char* v) : value_(std::string(v)) {}
  Cell(bool v) : value_(v) {}
  Cell(double v) : value_(v) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Cell(T v) : value_(static_cast<std::int64_t>(v)) {}
  Cell(std::chrono::milliseconds v) : value_(v) {}
  Cell(std::vector<std::string> v) : value_(std::move(v)) {}
  Cell(Json v) : value_(std::move(v)) {}
  template <class T>
  Cell(std::optional<T> v) {
    if (v) *this = Cell(std::move(*v));
  }

  std::string text() const;  ///< for people
  std::string json() const;  ///< one JSON value; invalid UTF-8 is replaced
  bool empty() const { return std::holds_alternative<std::monostate>(value_); }
  bool right() const;  ///< numbers and durations stand to the right

 private:
  std::variant<std::monostate, std::string, bool, std::int64_t, double, std::chrono::milliseconds,
               std::vector<std::string>, Json>
      value_;
};
using Row = std::vector<Cell>;

/// Heading for people and key for machines; the key is the heading in lower case with `_` for spaces, unless given.
struct Column {
  std::string heading, key;
  Column(const char* h) : Column(std::string(h)) {}
  Column(std::string h, std::string k = {});
};

/// Rows under headings: aligned text, or an array of objects.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  Table& add(Row row);
  bool empty() const { return rows_.empty(); }
  void print(std::ostream& out) const;        ///< aligned, headings first
  void print_json(std::ostream& out) const;   ///< one array, one object per line
  void print_lines(std::ostream& out) const;  ///< one object per line, no array: for streams
  Json json() const;                          ///< the array on one line

 private:
  std::string object(const Row& row) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

/// One JSON object on one line, keys in the given order.
std::string json_object(const std::vector<std::pair<std::string, Cell>>& members);
std::string json_string(std::string_view text);

}  // namespace skytools::ui
