#include "core/londiste/decode.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace skytools::londiste {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void bad(const pgq::Event& e, const std::string& why) {
  throw Error("event " + std::to_string(e.id) + " of type '" + e.type + "' on " + event_table(e) + ": " + why);
}

std::optional<RowOp> op_of_letter(char c) {
  switch (c) {
    case 'I':
      return RowOp::insert;
    case 'U':
      return RowOp::update;
    case 'D':
      return RowOp::remove;
    default:
      return std::nullopt;
  }
}

/// Update and delete need to know the row; an update of nothing but keys changes nothing.
std::optional<Change> checked(const pgq::Event& e, RowChange change) {
  if (change.op != RowOp::insert && change.keys.empty()) bad(e, "no key columns");
  for (auto& key : change.keys) {
    bool found = false;
    for (auto& field : change.row) found |= field.name == key;
    if (!found && change.op != RowOp::insert) bad(e, "key column " + key + " is not in the data");
  }
  if (change.op == RowOp::update && change.row.size() <= change.keys.size()) return std::nullopt;
  return change;
}

/// Names joined by commas; blanks belong to them.
std::vector<std::string> key_names(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find(',', at), text.size());
    names.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

std::optional<Change> decode_encoded(const pgq::Event& e) {
  RowChange change{*op_of_letter(e.type[0]), {}, key_names(std::string_view(e.type).substr(2))};
  try {
    decode_row(e.data, change.row);
  } catch (const Error& error) {
    bad(e, error.what());
  }
  return checked(e, std::move(change));
}

/// Numbers and truth values come bare or as strings; both become the text PostgreSQL reads.
std::optional<std::string> json_text(const Json& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "t" : "f";
  return value.dump();
}

std::optional<Change> decode_json(const pgq::Event& e) {
  Json type = Json::parse(e.type, nullptr, false), data = Json::parse(e.data, nullptr, false);
  if (!type.is_object() || !type.contains("op") || !type["op"].is_string()) bad(e, "bad JSON in the type");
  std::string op = type["op"].get<std::string>();
  if (op == "TRUNCATE") return Truncate{};
  if (!data.is_object()) bad(e, "bad JSON in the data");
  RowChange change{op == "INSERT" ? RowOp::insert : op == "UPDATE" ? RowOp::update : RowOp::remove, {}, {}};
  if (change.op == RowOp::remove && op != "DELETE") bad(e, "unknown operation " + op);
  Json keys = type.contains("pkey") ? type["pkey"] : Json::array();
  if (!keys.is_array()) bad(e, "pkey is not an array");
  for (auto& key : keys) {
    if (!key.is_string()) bad(e, "pkey holds something else than names");
    change.keys.push_back(key.get<std::string>());
  }
  for (auto& [name, value] : data.items()) change.row.push_back({name, json_text(value)});
  return checked(e, std::move(change));
}

}  // namespace

bool is_data_event(const pgq::Event& e) {
  const std::string& t = e.type;
  if (t.empty()) return false;
  if (t[0] == '{') return true;
  bool row = op_of_letter(t[0]).has_value();
  return (t.size() == 1 && (row || t == "R")) || (row && t.size() > 1 && t[1] == ':');
}

std::string event_table(const pgq::Event& e) { return TableName::parse(e.extra[0].value_or("")).str(); }

std::optional<Change> decode_change(const pgq::Event& e) {
  if (e.type == "R") return Truncate{};
  if (e.type[0] == '{') return decode_json(e);
  if (e.type.size() == 1) return PartialSql{*op_of_letter(e.type[0]), e.data};
  return decode_encoded(e);
}

}  // namespace skytools::londiste
