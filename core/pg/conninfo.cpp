#include <memory>

#include "core/pg/connection.h"

namespace skytools::pg {

namespace {

struct OptionsCloser {
  void operator()(PQconninfoOption* o) const noexcept { PQconninfoFree(o); }
};
using Parsed = std::unique_ptr<PQconninfoOption, OptionsCloser>;

bool is_uri(const std::string& c) { return c.starts_with("postgresql://") || c.starts_with("postgres://"); }

std::string value_of(const PQconninfoOption* options, std::string_view keyword) {
  for (auto* o = options; o->keyword; ++o)
    if (keyword == o->keyword && o->val) return o->val;
  return "";
}

Parsed parse_conninfo(const std::string& conninfo) {
  char* error = nullptr;
  Parsed parsed(PQconninfoParse(conninfo.c_str(), &error));
  std::unique_ptr<char, decltype(&PQfreemem)> text(error, &PQfreemem);
  if (!parsed) {
    std::string why = text ? text.get() : "out of memory";
    while (!why.empty() && why.back() == '\n') why.pop_back();
    // The text of libpq may repeat the string, password included: only its kind is told.
    if (auto quote = why.find('"'); quote != std::string::npos) why.resize(quote);
    throw UsageError("bad connection string: " + why);
  }
  // postgresql://user:pass/word@host/db reads as database "word@host/db", and the password would be shown as a part of
  // names.
  if (is_uri(conninfo) && value_of(parsed.get(), "dbname").find('@') != std::string::npos)
    throw UsageError(
        "bad connection string: special characters of a URI's user, password and database must be percent-encoded");
  return parsed;
}

/// One `keyword='value'` pair as libpq reads it back.
std::string pair_text(std::string_view keyword, std::string_view value) {
  std::string out = std::string(keyword) + "=";
  bool plain = !value.empty() && value.find_first_of(" \t\r\n'\\=") == std::string_view::npos;
  if (plain) return out += value;
  out += '\'';
  for (char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out += '\'';
}

/// libpq takes a string without '=' that is no URI as a bare database name.
bool is_bare_name(const std::string& c) { return !c.empty() && c.find('=') == std::string::npos && !is_uri(c); }

}  // namespace

std::string conninfo_summary(const std::string& conninfo) {
  if (conninfo.empty()) return "";
  if (is_bare_name(conninfo)) return conninfo;
  Parsed parsed = parse_conninfo(conninfo);
  std::string host = value_of(parsed.get(), "host"), port = value_of(parsed.get(), "port");
  if (host.empty()) host = value_of(parsed.get(), "hostaddr");
  std::string db = value_of(parsed.get(), "dbname");
  if (std::string service = value_of(parsed.get(), "service"); !service.empty() && db.empty())
    return "service=" + service;
  if (!host.empty() && !port.empty()) host += ":" + port;
  if (host.empty()) return db;
  return host + "/" + db;
}

std::string with_keyword(const std::string& conninfo, const std::string& keyword, const std::string& value) {
  Parsed parsed = is_bare_name(conninfo) ? parse_conninfo(pair_text("dbname", conninfo)) : parse_conninfo(conninfo);
  std::string out;
  auto add = [&out](std::string_view k, std::string_view v) { out += (out.empty() ? "" : " ") + pair_text(k, v); };
  for (auto* o = parsed.get(); o->keyword; ++o)
    if (o->val && keyword != o->keyword) add(o->keyword, o->val);
  add(keyword, value);
  return out;
}

std::string mask_password(const std::string& conninfo) {
  if (conninfo.empty() || is_bare_name(conninfo)) return conninfo;
  Parsed parsed = parse_conninfo(conninfo);
  std::string out = conninfo;
  for (const char* secret : {"password", "sslpassword"})
    if (!value_of(parsed.get(), secret).empty()) out = with_keyword(out, secret, "***");
  return out;
}

std::string Connection::address() const {
  std::string out;
  for (auto [keyword, value] : {std::pair{"host", PQhost(raw())}, {"port", PQport(raw())}, {"dbname", PQdb(raw())}})
    if (value && *value) out += (out.empty() ? "" : " ") + pair_text(keyword, value);
  return out;
}

}  // namespace skytools::pg
