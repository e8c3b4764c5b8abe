#pragma once
#include <string>
#include <string_view>

namespace skytools {

/// An SQL identifier, always in double quotes.
std::string quote_ident(std::string_view name);
/// An SQL string literal; backslashes use the E'' form, so it is right under any standard_conforming_strings.
std::string quote_literal(std::string_view value);

/// A relation name as the schemas store it: unquoted "schema.name", split at the first dot; without a dot the schema is
/// public.
struct TableName {
  std::string schema, name;
  static TableName parse(std::string_view text);
  std::string str() const { return schema + "." + name; }  ///< as stored: public.Odd Tab
  std::string sql() const {
    return quote_ident(schema) + "." + quote_ident(name);
  }  ///< for a statement: "public"."Odd Tab"
  auto operator<=>(const TableName&) const = default;
};

}  // namespace skytools
