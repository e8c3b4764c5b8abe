#pragma once
#include <libpq-fe.h>

#include <charconv>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace skytools::pg {

struct Closer {
  void operator()(PGconn* c) const noexcept { PQfinish(c); }
  void operator()(PGresult* r) const noexcept { PQclear(r); }
};
using ConnPtr = std::unique_ptr<PGconn, Closer>;
using ResultPtr = std::unique_ptr<PGresult, Closer>;

/// One text parameter; nullopt is SQL NULL.
class Param {
 public:
  Param(std::nullopt_t) {}
  Param(std::string v) : value_(std::move(v)) {}
  Param(std::string_view v) : value_(v) {}
  Param(const char* v) : value_(v) {}
  Param(bool v) : value_(v ? "t" : "f") {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Param(T v) : value_(std::to_string(v)) {}
  template <class T>
  Param(const std::optional<T>& v) {
    if (v) value_ = Param(*v).value_;
  }
  const char* text() const noexcept { return value_ ? value_->c_str() : nullptr; }

 private:
  std::optional<std::string> value_;
};

/// Text of the server → T. @throws Error  naming the bad text
template <class T>
T parse(std::string_view text) {
  if constexpr (std::same_as<T, std::string>) {
    return std::string(text);
  } else if constexpr (std::same_as<T, std::string_view>) {
    return text;
  } else if constexpr (std::same_as<T, bool>) {
    return text == "t";
  } else {
    T v{};
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (ec != std::errc{} || end != text.data() + text.size()) throw Error("not a number: '" + std::string(text) + "'");
    return v;
  }
}

/// A finished result; string_views into it stay valid as long as it lives.
class Result {
 public:
  Result() = default;
  explicit Result(ResultPtr r) : r_(std::move(r)) {}
  int rows() const noexcept { return r_ ? PQntuples(r_.get()) : 0; }
  int columns() const noexcept { return r_ ? PQnfields(r_.get()) : 0; }
  /// Rows touched by INSERT, UPDATE, DELETE, COPY; 0 for others.
  std::int64_t affected() const {
    std::string_view n = r_ ? PQcmdTuples(r_.get()) : "";
    return n.empty() ? 0 : parse<std::int64_t>(n);
  }
  ExecStatusType status() const noexcept { return PQresultStatus(r_.get()); }
  std::string command_tag() const { return r_ ? PQcmdStatus(r_.get()) : ""; }  ///< "COMMIT", "INSERT 0 1"
  bool null(int row, int col) const noexcept { return PQgetisnull(r_.get(), row, col); }
  std::string_view text(int row, int col) const noexcept {
    return {PQgetvalue(r_.get(), row, col), static_cast<std::size_t>(PQgetlength(r_.get(), row, col))};
  }
  const char* name(int col) const noexcept { return PQfname(r_.get(), col); }
  /// Field as optional<T>: nullopt for SQL NULL.
  template <class T>
  std::optional<T> get(int row, int col) const {
    if (null(row, col)) return std::nullopt;
    return parse<T>(text(row, col));
  }
  /// A whole row as a tuple; optional<T> columns may be NULL, plain T columns may not.
  template <class... T>
  std::tuple<T...> row(int i) const {
    if (columns() != static_cast<int>(sizeof...(T)))
      throw Error("row has " + std::to_string(columns()) + " columns, expected " + std::to_string(sizeof...(T)));
    return row_impl<T...>(i, std::index_sequence_for<T...>{});
  }

 private:
  template <class T>
  struct OptionalOf {
    static constexpr bool kValue = false;
  };
  template <class T>
  struct OptionalOf<std::optional<T>> {
    static constexpr bool kValue = true;
    using Type = T;
  };
  template <class T>
  T cell(int r, int c) const {
    if constexpr (OptionalOf<T>::kValue) {
      return get<typename OptionalOf<T>::Type>(r, c);
    } else {
      if (null(r, c)) throw Error(std::string("unexpected NULL in column ") + name(c));
      return parse<T>(text(r, c));
    }
  }
  template <class... T, std::size_t... I>
  std::tuple<T...> row_impl(int r, std::index_sequence<I...>) const {
    return {cell<T>(r, static_cast<int>(I))...};
  }
  ResultPtr r_;
};

}  // namespace skytools::pg
