// What a column may hold and how things may be called: everything arrives as it was, by the initial copy and by each
// way of applying (single statement, array statement, COPY).
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/cascade.h"

using namespace skytools;
using test::Cascade;

namespace {

struct ColumnType {
  const char *type, *first, *second;
  int since = 0;  ///< server version
};

constexpr const char* kOwnTypes =
    "create type mood as enum ('sad', 'so so', 'it''s \"fine\"');"
    "create domain short_text as text check (length(value) < 50);"
    "create domain int_list as int[];"
    "create type pair as (a int, \"B b\" text);"
    "create domain pair_domain as pair;"
    "create type nested as (p pair, moods mood[]);"
    "create type span as range (subtype = float8)";

const ColumnType kAllTypes[] = {
    {"boolean", "true", "false"},
    {"smallint", "-32768", "32767"},
    {"integer", "-2147483648", "2147483647"},
    {"bigint", "-9223372036854775808", "9223372036854775807"},
    {"numeric", "'NaN'", "123456789012345678901234567890.000100"},
    {"numeric(10,2)", "0.01", "-99999999.99"},
    {"real", "'-Infinity'", "3.4028235e38"},
    {"double precision", "0.1::float8 + 0.2", "2.2250738585072014e-308"},
    {"money", "12345.67", "-0.01"},
    {"text", "E'tab\\t nl\\n cr\\r bs\\\\ quote'' dq\" & = + % %41 {},NULL null \\\\N'", "''"},
    {"text", "'NULL'", "'żółć 日本語 𝄞 e\u0301'"},
    {"varchar(20)", "' padded '", "E'\\b\\f\\v'"},
    {"char(5)", "'a'", "''"},
    {"\"char\"", "'x'", "''"},
    {"name", "'some name'", "'Ω'"},
    {"bytea", "(select string_agg(set_byte('\\x00', 0, i), ''::bytea order by i) from generate_series(0, 255) i)",
     "''"},
    {"date", "'infinity'", "'0044-03-15 BC'"},
    {"time", "'23:59:59.999999'", "'24:00'"},
    {"timetz", "'12:00+05:30'", "'00:00-12'"},
    {"timestamp", "'-infinity'", "'294276-12-31 23:59:59.999999'"},
    {"timestamptz", "'2024-03-31 02:30:00.123456+02'", "'0001-01-01 00:00:00+00 BC'"},
    {"interval", "'-1 year 2 mons -3 days 04:05:06.789'", "'178000000 years'"},
    {"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"},
    {"json", "'{\"a\" : [1, null, \"x\\u00e9\"],  \"a\": 2}'", "'null'"},
    {"jsonb", "'{\"k\": {\"n\": 1.50, \"q\": \"\\\"\\\\\"}}'", "'[]'"},
    {"jsonpath", "'$.a[*] ? (@ > 1)'", "'$'"},
    {"xml", "'<a b=\"1\">t &amp; x</a>'", "'plain'"},
    {"inet", "'192.168.0.1/24'", "'::1'"},
    {"cidr", "'10.0.0.0/8'", "'2001:db8::/32'"},
    {"macaddr", "'08:00:2b:01:02:03'", "'ff:ff:ff:ff:ff:ff'"},
    {"macaddr8", "'08:00:2b:01:02:03:04:05'", "'00:00:00:00:00:00:00:00'"},
    {"bit(5)", "B'10101'", "B'00000'"},
    {"bit varying", "B'1'", "B''"},
    {"point", "'(1.5,-2)'", "'(0,0)'"},
    {"line", "'{1,2,3}'", "'{0,1,0}'"},
    {"lseg", "'[(0,0),(1,1)]'", "'[(1,2),(3,4)]'"},
    {"box", "'(2,2),(0,0)'", "'(1,1),(-1,-1)'"},
    {"path", "'((0,0),(1,1),(2,0))'", "'[(0,0),(1,1)]'"},
    {"polygon", "'((0,0),(1,1),(2,0))'", "'((1,1))'"},
    {"circle", "'<(1,2),3>'", "'<(0,0),0>'"},
    {"tsvector", "'''it''''s'' a fat:1A,2 cat:3'", "''"},
    {"tsquery", "'fat & (rat | !cat)'", "'a <-> b'"},
    {"int4range", "'[1,10)'", "'empty'"},
    {"numrange", "'(,1.5]'", "'(,)'"},
    {"tstzrange", "'[\"2024-01-01 00:00:00+00\",)'", "'empty'"},
    {"span", "'[1.5,2.5]'", "'(,0)'"},
    {"oid", "4294967295", "0"},
    {"regclass", "'pg_class'", "'pg_catalog.pg_type'"},
    {"pg_lsn", "'16/B374D848'", "'0/0'"},
    {"txid_snapshot", "'10:20:10,14'", "'1:1:'"},
    {"mood", "'it''s \"fine\"'", "'so so'"},
    {"short_text", "'a domain'", "''"},
    {"int_list", "'{1,NULL,3}'", "'{}'"},
    {"pair", "row(1, 'x, \"y\" (z) \\')::pair", "row(null, '')::pair"},
    {"pair_domain", "row(1, 'x')::pair_domain", "row(2, null)::pair_domain"},
    {"nested", "row(row(1, null)::pair, array['sad', 'it''s \"fine\"']::mood[])::nested", "row(null, '{}')::nested"},
    {"int[]", "'{1,2,NULL}'", "'{}'"},
    {"int[]", "'{{1,2},{3,4}}'", "'[0:1]={7,8}'"},
    {"text[]", "array['a,b', 'NULL', null, '{\"}', '', E'x\\ny\\\\z']", "'{}'"},
    {"text[]", "'{{{a,b}},{{c,NULL}}}'", "'{\"\"}'"},
    {"bytea[]", "array['\\x00ff', '\\x5c22']::bytea[]", "array[null]::bytea[]"},
    {"mood[]", "array['so so', 'it''s \"fine\"']::mood[]", "'{}'"},
    {"pair[]", "array[row(1, 'a \"b\"')::pair, row(2, null)::pair]", "array[null]::pair[]"},
    {"box[]", "'{(1,1),(0,0);(3,3),(2,2)}'", "'{}'"},
    {"jsonb[]", "array['{\"a\": \"b,c\"}', 'null']::jsonb[]", "'{}'"},
    {"int4range[]", "array['[1,2)', 'empty']::int4range[]", "'{}'"},
    {"int4multirange", "'{[1,3),[5,9)}'", "'{}'", 14},
};

int server_version() {
  return std::stoi(test::query(test::server().conninfo("postgres"), "show server_version_num")) / 10000;
}

/// Those the server has.
const std::vector<ColumnType>& types() {
  static const std::vector<ColumnType> list = [] {
    std::vector<ColumnType> out;
    std::copy_if(std::begin(kAllTypes), std::end(kAllTypes), std::back_inserter(out),
                 [version = server_version()](auto& t) { return t.since <= version; });
    return out;
  }();
  return list;
}

/// create table, and the value list of a row: from types().
std::string create_table(const std::string& name) {
  std::string sql = "create table " + name + " (id int primary key";
  int n = 0;
  for (auto& t : types()) sql += ", c" + std::to_string(++n) + " " + t.type;
  return sql + ")";
}
std::string values(const char* ColumnType::*which) {
  std::string sql;
  for (auto& t : types()) sql += std::string(", ") + (which ? t.*which : "null");
  return sql;
}
std::string assignments(const char* ColumnType::*which) {
  std::string sql;
  int n = 0;
  for (auto& t : types()) sql += (n ? ", c" : "c") + std::to_string(n + 1) + " = " + (which ? t.*which : "null"), ++n;
  return sql;
}

}  // namespace

TEST_CASE("every column type arrives unchanged, on a branch and on the leaf below it") {
  Cascade c({{"root"}, {"branch", "root"}, {"leaf", "branch"}});
  c.everywhere(kOwnTypes);
  c.query("root", create_table("t"));
  c.query("root", "insert into t select 1" + values(&ColumnType::first));
  c.query("root", "insert into t select 2" + values(&ColumnType::second));
  c.query("root", "insert into t (id) values (3)");
  c.start_all();
  c.add_tables({"t"}, {"--create"});
  REQUIRE(c.difference({"t"}) == "");

  SUBCASE("one row at a time") {
    c.query("root", "insert into t select 11" + values(&ColumnType::first));
    c.sync("leaf");
    c.query("root", "insert into t select 12" + values(&ColumnType::second));
    c.sync("leaf");
    c.query("root", "insert into t (id) values (13)");
    c.sync("leaf");
    c.query("root", "update t set " + assignments(&ColumnType::second) + " where id = 11");
    c.sync("leaf");
    c.query("root", "update t set " + assignments(nullptr) + " where id = 12");
    c.sync("leaf");
    c.query("root", "update t set " + assignments(&ColumnType::first) + " where id = 13");
    c.sync("leaf");
    c.query("root", "delete from t where id = 1");
  }
  SUBCASE("some rows in one batch") {
    c.query("root", "insert into t select g" + values(&ColumnType::first) + " from generate_series(21, 30) g");
    c.query("root", "insert into t select g" + values(&ColumnType::second) + " from generate_series(31, 40) g");
    c.query("root", "insert into t (id) select g from generate_series(41, 50) g");
    c.sync("leaf");
    REQUIRE(c.difference({"t"}) == "");
    c.query("root", "update t set " + assignments(&ColumnType::second) + " where id in (1, 21, 22, 41)");
    c.query("root", "update t set " + assignments(&ColumnType::first) + " where id in (31, 32, 42)");
    c.query("root", "update t set " + assignments(nullptr) + " where id in (2, 23, 33)");
    c.query("root", "delete from t where id in (24, 34, 44)");
  }
  SUBCASE("many rows in one batch") {
    c.query("root", "insert into t select g" + values(&ColumnType::first) + " from generate_series(1000, 1400) g");
    c.query("root", "insert into t select g" + values(&ColumnType::second) + " from generate_series(2000, 2400) g");
    c.query("root", "insert into t (id) select g from generate_series(3000, 3400) g");
  }
  c.sync("leaf");
  CHECK(c.difference({"t"}) == "");
  for (auto* node : {"branch", "leaf"}) CHECK_MESSAGE(!c.worker(node).logged(" error "), c.worker(node).log());
}

TEST_CASE("odd names of schemas, tables and columns") {
  Cascade c({{"root"}, {"leaf", "root"}});
  struct Odd {
    const char *name, *sql;  // as commands take it, as SQL writes it
  };
  const Odd odd[] = {{"public.Upper Case", "\"Upper Case\""},   {"public.quo\"te'd", "\"quo\"\"te'd\""},
                     {"Select.from", "\"Select\".\"from\""},    {"public.ünïcode ☃", "\"ünïcode ☃\""},
                     {"public.back\\slash", "\"back\\slash\""}, {"public.percent%26&=+", "\"percent%26&=+\""},
                     {"public.with.dot", "\"with.dot\""}};
  c.everywhere("create schema \"Select\"");
  std::vector<std::string> names, tables;
  for (auto& t : odd) {
    c.everywhere(std::string("create table ") + t.sql +
                 " (\"user\" int, \"Key \"\"2\"\"\" text, \"a&b=c%41+d\" text, \"ö, ä\" text[], \"x\ny\" text, \"$1\" "
                 "int, primary key (\"user\", \"Key \"\"2\"\"\"))");
    names.push_back(t.name);
    tables.push_back(t.sql);
    c.query("root", std::string("insert into ") + t.sql +
                        " values (1, 'a', 'b', '{c}', 'd', 1), (2, '', null, null, '', null)");
  }
  c.start_all();
  c.add_tables(names);
  CHECK(c.difference(tables) == "");
  for (auto& t : tables) {
    c.query("root", "insert into " + t + " values (3, 'x', 'b', '{c}', 'd', 1), (4, 'y', 'e', '{}', 'f', 2)");
    c.query("root", "update " + t + " set \"a&b=c%41+d\" = 'new', \"x\ny\" = null, \"$1\" = 7 where \"user\" < 4");
    c.query("root", "delete from " + t + " where \"Key \"\"2\"\"\" = 'a'");
    c.query("root", "insert into " + t + " select g, 'many', 'b', '{c}', 'd', 1 from generate_series(100, 500) g");
  }
  c.sync("leaf");
  CHECK(c.difference(tables) == "");
  CHECK(c.error("leaf") == "");
}

TEST_CASE("generated and identity columns") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root",
          "create table t (id int generated always as identity primary key, a int, twice int generated always as (a * "
          "2) stored,"
          " n int generated by default as identity, d text default 'default', unset text default 'x')");
  if (server_version() >= 18) c.query("root", "alter table t add thrice int generated always as (a * 3) virtual");
  c.query("root", "insert into t (a) values (1), (2)");
  c.start_all();
  c.add_tables({"t"}, {"--create"});
  c.query("root", "insert into t (a, d, unset) values (3, null, null)");
  c.sync("leaf");
  c.query("root", "insert into t (a) select g from generate_series(1, 20) g");
  c.query("root", "update t set a = a + 100, n = n + 1000 where id in (1, 3, 5)");
  c.query("root", "delete from t where id in (2, 7)");
  c.sync("leaf");
  c.query("root", "insert into t (a) select g from generate_series(1, 400) g");
  c.sync("leaf");
  CHECK(c.difference({"t"}) == "");
  CHECK(c.query("leaf", "select count(*) from t where twice is distinct from a * 2") == "0");
  if (server_version() >= 18) CHECK(c.query("leaf", "select bool_and(thrice = a * 3) from t") == "t");
}

TEST_CASE("columns in another order, of wider types, and more columns at the target") {
  Cascade c({{"root"}, {"leaf", "root"}});
  c.query("root", "create table t (id int primary key, a int, b varchar(10), gone int)");
  c.query("root", "alter table t drop column gone");
  c.query("root", "insert into t values (1, 1, 'one')");
  c.query("leaf", "create table t (extra text default 'kept', b text, a bigint, id bigint primary key)");
  c.start_all();
  c.add_tables({"t"});
  c.query("root", "insert into t values (2, 2, 'two')");
  c.query("root", "update t set b = 'uno' where id = 1");
  c.sync("leaf");
  c.query("root", "insert into t select g, g, 'x' from generate_series(10, 500) g");
  c.sync("leaf");
  std::string rows = "select id, a, b from t order by id";
  CHECK(c.same("leaf", rows));
  CHECK(c.query("leaf", "select count(*) from t where extra is distinct from 'kept'") == "0");
}
