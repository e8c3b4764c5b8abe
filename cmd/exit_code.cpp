#include "cmd/exit_code.h"

#include <array>

#include "core/base/error.h"
#include "core/config/settings.h"
#include "core/pg/error.h"
#include "core/ui/table.h"

namespace skytools::cmd {

namespace {

/// A missing schema, relation or function of ours.
bool names_our_schema(const pg::SqlError& e) {
  constexpr std::array<std::string_view, 3> kMissing = {"3F000", "42P01", "42883"};
  constexpr std::array<std::string_view, 4> kSchemas = {"pgq", "pgq_node", "londiste", "skytools"};
  bool missing = false;
  for (auto state : kMissing) missing |= e.sqlstate() == state;
  if (!missing) return false;
  for (std::string_view schema : kSchemas) {
    for (std::string_view before : {"\"", " "})
      for (std::string_view after : {"\"", "."})
        if (e.message().find(std::string(before) + std::string(schema) + std::string(after)) != std::string::npos)
          return true;
  }
  return false;
}

template <class T>
bool is(const std::exception& e) {
  return dynamic_cast<const T*>(&e) != nullptr;
}

/// A row of the table of exit codes (docs/exit-codes.md); the first that fits decides, so derived types come first.
struct Rule {
  bool (*fits)(const std::exception&);
  ExitCode exit;
};
constexpr Rule kRules[] = {
    {is<UsageError>, kUsage},
    {is<DifferenceFound>, kDifference},
    {is<pg::ConnectError>, kUnreachable},
    {is<Refused>, kRefused},
    {is<SchemaMissing>, kSchemaMissing},
    {is<TimedOut>, kTimedOut},
    {[](const std::exception& e) {
       auto sql = dynamic_cast<const pg::SqlError*>(&e);
       return sql && names_our_schema(*sql);
     },
     kSchemaMissing},
    {is<Error>, kFailed},
};

/// Exit code of this exception alone.
Failure one_level(const std::exception& e) {
  Failure f;
  f.stopped = is<Stopped>(e);
  if (auto sql = dynamic_cast<const pg::SqlError*>(&e)) f.connection = sql->connection(), f.sqlstate = sql->sqlstate();
  for (const Rule& rule : kRules) {
    if (!rule.fits(e)) continue;
    f.exit = rule.exit;
    break;
  }
  return f;
}

/// A plain Error only adds context; what it wraps decides.
Failure walk(const std::exception& e) {
  Failure outer = one_level(e);
  if (outer.exit != kFailed || !outer.sqlstate.empty() || outer.stopped) return outer;
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception& inner) {
    return walk(inner);
  } catch (...) {
    return {};
  }
  return outer;
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

}  // namespace

Failure classify(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    Failure f = walk(e);
    f.message = f.stopped ? "interrupted" : config::mask_password(one_line(describe(e)));
    // Every message about a database begins with its label in brackets, whatever the type of the error.
    if (auto end = f.message.find(']'); f.connection.empty() && f.message.starts_with('[') && end != std::string::npos)
      f.connection = f.message.substr(1, end - 1);
    if (!f.sqlstate.empty() && f.exit == kSchemaMissing) f.message += "; run: skytools install";
    if (f.exit == kInternal) f.message = "internal error: " + f.message;
    return f;
  } catch (...) {
    Failure f;
    f.message = "internal error: unknown exception";
    return f;
  }
}

std::string to_json(const Failure& failure) {
  std::string out =
      "{\"error\": {\"exit\": " + std::to_string(failure.exit) + ", \"message\": " + ui::json_string(failure.message);
  if (!failure.connection.empty())
    out += ", \"connection\": " + ui::json_string(config::mask_password(failure.connection));
  if (!failure.sqlstate.empty()) out += ", \"sqlstate\": " + ui::json_string(failure.sqlstate);
  return out + "}}";
}

}  // namespace skytools::cmd
