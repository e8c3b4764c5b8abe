#include "core/schema/install.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/quote.h"
#include "core/log/log.h"
#include "core/schema/plan.h"

namespace skytools::schema {

namespace {

constexpr const char* kCannotReplace =
    "42P13";  ///< result type, argument name or default differs from the existing function

/// Line of a character, both from 1. Positions count characters, the text is UTF-8.
int line_at(std::string_view text, int position) {
  int line = 1;
  for (char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    if (--position <= 0) break;
    line += c == '\n';
  }
  return line;
}

[[noreturn]] void fail_step(const Step& step, const pg::SqlError& e, std::string_view sent) {
  std::string where = step.label();
  if (step.file && e.position() > 0) where += ":" + std::to_string(line_at(sent, e.position()));
  if (e.sqlstate() == kLockNotAvailable)
    throw Refused("[" + e.connection() + "] " + where + ": " + e.message() +
                  "; somebody uses the objects, try again later");
  throw pg::SqlError(e.connection(), e.sqlstate(), where + ": " + e.message());
}

/// Drops every overload of the function that a file is named after; fails when something depends on one.
void drop_functions(pg::Transaction& tx, const File& file) {
  std::string_view path = file.path;
  auto schema = path.substr(0, path.find('/')), name = path.substr(path.rfind('/') + 1);
  name.remove_suffix(std::string_view(".sql").size());
  auto r = tx.exec(
      "select 'drop routine ' || p.oid::regprocedure from pg_proc p where p.pronamespace = to_regnamespace($1)"
      " and p.proname = $2 order by 1",
      quote_ident(schema), name);
  for (int i = 0; i < r.rows(); ++i) {
    log::info(std::string(r.text(i, 0)) + ": its result or its argument names differ", {});
    tx.exec(std::string(r.text(i, 0)));
  }
}

void run_step(pg::Transaction& tx, const Step& step) {
  const std::string text = step.file ? text_to_send(step.file->text, true) : step.sql;
  log::debug("running " + step.label(), {});
  try {
    if (!step.replace) {
      tx.script(text);
      return;
    }
    tx.exec("savepoint replace_function");
    try {
      tx.script(text);
    } catch (const pg::SqlError& e) {
      if (e.sqlstate() != kCannotReplace) throw;
      tx.exec("rollback to savepoint replace_function");
      drop_functions(tx, *step.file);
      tx.script(text);
    }
    tx.exec("release savepoint replace_function");
  } catch (const pg::SqlError& e) {
    if (e.connection_lost()) throw;
    fail_step(step, e, text);
  }
}

/// New objects belong to whom the others belong to: a superuser who upgrades leaves no function with his rights behind.
void give_to_owner(pg::Transaction& tx, const std::string& schema, const std::string& owner) {
  auto r = tx.exec(
      "select format('alter routine %s owner to %I', p.oid::regprocedure, $2::text) from pg_proc p"
      " where p.pronamespace = to_regnamespace($1) and p.proowner = to_regrole(quote_ident(current_user))"
      " union all"
      " select format('alter table %s owner to %I', c.oid::regclass, $2::text) from pg_class c"
      " where c.relnamespace = to_regnamespace($1) and c.relowner = to_regrole(quote_ident(current_user))"
      " and c.relkind in ('r', 'v')",
      schema, owner);
  for (int i = 0; i < r.rows(); ++i) tx.exec(std::string(r.text(i, 0)));
}

void write_record(pg::Transaction& tx, const Plan& plan, const Source& source) {
  const std::string name(plan.module->name);
  tx.exec(
      "insert into skytools.module (name, version, origin) values ($1, $2, $3) on conflict (name) do update"
      " set version = excluded.version, origin = excluded.origin, installed_at = now(), installed_by = current_user",
      name, plan.version, plan.extension.empty() ? "skytools" : "extension");
  tx.exec("delete from skytools.file where module = $1", name);
  if (!plan.extension.empty()) return;
  for (auto& [file, kind] : files_of(name, source.files))
    tx.exec("insert into skytools.file (module, path, sha256) values ($1, $2, $3)", name, file->path, file->sha256);
}

Action describe_plan(const Plan& plan) {
  Action a{std::string(plan.module->name), plan.version, plan.state, plan.action, plan.extension, {}};
  for (const Step& s : plan.steps) a.steps.push_back(s.label());
  return a;
}

}  // namespace

std::vector<Action> install(pg::Connection& c, const InstallOptions& options) {
  if (c.server_version() < 120000)
    throw Refused("[" + c.label() + "] PostgreSQL 12 or newer is needed, this is " +
                  std::to_string(c.server_version() / 10000));
  const auto modules = with_needs(options.modules);
  pg::Transaction tx(c);
  begin_alone(tx, options.lock_timeout);

  const auto found = states(tx, options.source);
  std::vector<Plan> plans;
  for (const Module* m : modules) plans.push_back(plan_module(*m, state_of(found, m->name), options, c.label()));

  const auto user = tx.value<std::string>("select current_user");
  std::vector<Action> actions;
  for (const Plan& plan : plans) {
    actions.push_back(describe_plan(plan));
    if (options.dry_run) continue;
    for (const Step& step : plan.steps) run_step(tx, step);
    if (!plan.steps.empty() && !plan.owner.empty() && plan.owner != user)
      give_to_owner(tx, std::string(plan.module->name), plan.owner);
    if (plan.record) write_record(tx, plan, options.source);
  }
  if (!options.dry_run) tx.commit();
  return actions;
}

}  // namespace skytools::schema
