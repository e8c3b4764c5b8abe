#include "core/londiste/statements.h"

#include <algorithm>

namespace skytools::londiste {

namespace {

std::string number(std::size_t i) { return std::to_string(i + 1); }

/// How an unnested column becomes a value of the table's column.
std::string source_value(const Column& c, const std::string& name) {
  return c.array_type.empty() ? "u." + name + "::" + c.type : "u." + name;
}

/// `unnest($1::type[], …) as u(c1, …)` over all parameters of the shape.
std::string unnest(const std::vector<const Column*>& params) {
  std::string arrays, names;
  for (std::size_t i = 0; i < params.size(); ++i) {
    arrays += (i ? ", $" : "$") + number(i) +
              "::" + (params[i]->array_type.empty() ? "pg_catalog.text[]" : params[i]->array_type);
    names += (i ? ", c" : "c") + number(i);
  }
  return "unnest(" + arrays + ") as u(" + names + ")";
}

void build_insert(const TableInfo& table, Shape& shape) {
  std::string names, single, many;
  bool overriding = false;
  for (std::size_t i = 0; i < shape.set.size(); ++i) {
    const char* comma = i ? ", " : "";
    names += comma + quote_ident(shape.set[i]->name);
    single += comma + ("$" + number(i));
    many += comma + source_value(*shape.set[i], "c" + number(i));
    overriding |= shape.set[i]->identity_always;
  }
  std::string head =
      "insert into " + table.name.sql() + " (" + names + ")" + (overriding ? " overriding system value" : "");
  shape.single = head + " values (" + single + ")";
  shape.many = head + " select " + many + " from " + unnest(shape.set);
}

void build_keyed(const TableInfo& table, RowOp op, Shape& shape) {
  std::vector<const Column*> params = shape.set;
  params.insert(params.end(), shape.keys.begin(), shape.keys.end());
  std::string single_set, many_set, single_where, many_where;
  for (std::size_t i = 0; i < params.size(); ++i) {
    std::string column = quote_ident(params[i]->name), value = source_value(*params[i], "c" + number(i));
    if (i < shape.set.size()) {
      const char* comma = i ? ", " : "";
      single_set += comma + column + " = $" + number(i);
      many_set += comma + column + " = " + value;
    } else {
      const char* also = i > shape.set.size() ? " and " : "";
      single_where += also + column + " = $" + number(i);
      many_where += also + ("t." + column) + " = " + value;
    }
  }
  std::string name = table.only() + table.name.sql();
  if (op == RowOp::update) {
    shape.single = "update " + name + " set " + single_set + " where " + single_where;
    shape.many = "update " + name + " as t set " + many_set + " from " + unnest(params) + " where " + many_where;
  } else {
    shape.single = "delete from " + name + " where " + single_where;
    shape.many = "delete from " + name + " as t using " + unnest(params) + " where " + many_where;
  }
}

}  // namespace

Shape make_shape(const TableInfo& table, RowOp op, const std::vector<std::string>& columns,
                 const std::vector<std::string>& keys) {
  Shape shape;
  for (auto& name : columns) {
    bool is_key = std::find(keys.begin(), keys.end(), name) != keys.end();
    if (op == RowOp::remove && !is_key) continue;
    const Column* c = table.find(name);
    if (!c)
      throw Error("table " + table.name.str() + " has no column " + name +
                  " on this node; add it and the worker goes on");
    if (is_key && op != RowOp::insert)
      shape.keys.push_back(c);
    else if (!c->generated && !(c->identity_always && op == RowOp::update))
      shape.set.push_back(c);
  }
  if (op == RowOp::insert)
    build_insert(table, shape);
  else
    build_keyed(table, op, shape);
  return shape;
}

void append_element(std::string& array, const std::optional<std::string>& value) {
  if (array.size() > 1) array += ',';
  if (!value) {
    array += "NULL";
    return;
  }
  array += '"';
  std::size_t from = 0;
  for (std::size_t at; (at = value->find_first_of("\"\\", from)) != std::string::npos; from = at + 1) {
    array.append(*value, from, at - from);
    array += '\\';
    array += (*value)[at];
  }
  array.append(*value, from);
  array += '"';
}

}  // namespace skytools::londiste
