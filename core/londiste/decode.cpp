#include "core/londiste/decode.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace skytools::londiste {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void bad(const pgq::Event& e, const std::string& why) {
  throw Error("event " + std::to_string(e.id) + " of type '" + e.type + "' on " + event_table(e) + ": " + why);
}

std::optional<RowOp> op_of_letter(char c) {
  switch (c) {
    case 'I': return RowOp::insert;
    case 'U': return RowOp::update;
    case 'D': return RowOp::remove;
    default: return std::nullopt;
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

std::optional<Change> decode_encoded(const pgq::Event& e) {
  RowChange change{*op_of_letter(e.type[0]), {}, split(std::string_view(e.type).substr(2), ',')};
  decode_row(e.data, change.row);
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
  for (auto& key : type.value("pkey", Json::array())) change.keys.push_back(key.get<std::string>());
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
