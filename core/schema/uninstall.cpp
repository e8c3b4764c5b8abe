#include <algorithm>

#include "core/base/error.h"
#include "core/base/quote.h"
#include "core/base/strings.h"
#include "core/schema/install.h"
#include "core/schema/plan.h"

namespace skytools::schema {

namespace {

/// What the user would miss, per schema that goes.
struct Loss {
  std::string_view schema;
  const char* query;
};
constexpr Loss kLosses[] = {
    {"pgq",
     "select 'queue ' || queue_name || ' (' || (select count(*) from pgq.subscription where sub_queue = queue_id) ||"
     " ' consumers)' from pgq.queue order by queue_name"},
    {"pgq_node",
     "select node_type || ' node ' || node_name || ' of queue ' || queue_name from pgq_node.node_info order by "
     "queue_name"},
    {"pgq_ext",
     "select 'progress of consumer ' || consumer_id from (select consumer_id from pgq_ext.completed_tick"
     " union select consumer_id from pgq_ext.completed_batch union select consumer_id from pgq_ext.partial_batch) c"
     " order by consumer_id"},
    {"londiste",
     "select count(*) || ' tables of set ' || queue_name from londiste.table_info where local"
     " group by queue_name order by queue_name"},
};

/// Triggers, views and constraints outside of the schemas that DROP … CASCADE takes along.
constexpr const char* kDependents = R"sql(
with schemas as (select oid from pg_namespace where nspname = any($1::text[])),
     gone as (select 'pg_proc'::regclass as classid, oid from pg_proc where pronamespace in (select oid from schemas)
              union all
              select 'pg_class'::regclass, oid from pg_class where relnamespace in (select oid from schemas))
select distinct pg_describe_object(d.classid, d.objid, 0)
  from pg_depend d
  join gone on gone.classid = d.refclassid and gone.oid = d.refobjid
  left join pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
  left join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
  left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
  join pg_class c on c.oid = coalesce(t.tgrelid, w.ev_class, k.conrelid)
 where d.deptype = 'n' and not coalesce(t.tgisinternal, false) and c.relnamespace not in (select oid from schemas)
 order by 1)sql";

std::vector<std::string> column(const pg::Result& r) {
  std::vector<std::string> out;
  for (int i = 0; i < r.rows(); ++i) out.emplace_back(r.text(i, 0));
  return out;
}

/// The schemas to drop, last installed first.
std::vector<std::string> schemas_to_drop(const std::vector<ModuleState>& found, const InstallOptions& options,
                                         const std::string& label) {
  auto named = [&](std::string_view m) {
    return options.modules.empty() ||
           std::any_of(options.modules.begin(), options.modules.end(), [&](auto& n) { return n == "all" || n == m; });
  };
  for (auto& name : options.modules)
    if (name != "all") module_named(name);
  std::vector<std::string> out;
  std::vector<const Module*> staying;  // modules of ours that are not dropped
  for (auto m = std::rbegin(kModules); m != std::rend(kModules); ++m) {
    const ModuleState& s = state_of(found, m->name);
    if (!s.present) continue;
    // Without queues nothing is left for schema skytools to serve.
    bool home_alone = m->name == "skytools" && !out.empty() && staying.empty();
    if (!named(m->name) && !home_alone) {
      if (s.origin == "skytools") staying.push_back(&*m);
      continue;
    }
    const std::string head = "[" + label + "] schema " + s.name + " ";
    if (s.origin == "extension") throw Refused(head + "belongs to an extension; run: drop extension " + s.extension);
    if (!s.recorded)
      throw Refused(head + "was not made by skytools install; drop it by hand: drop schema " + s.name + " cascade");
    std::vector<std::string> needed_by;
    for (const Module* other : staying)
      if (other->needs == m->name || m->name == "skytools")
        needed_by.insert(needed_by.begin(), std::string(other->name));
    if (!needed_by.empty())
      throw Refused(head + "is needed by " + join(needed_by, ", ") + "; name it too, or nothing for all");
    out.push_back(s.name);
  }
  return out;
}

void drop_schema(pg::Transaction& tx, const std::string& schema) {
  try {
    tx.exec("drop schema " + quote_ident(schema) + " cascade");
  } catch (const pg::SqlError& e) {
    if (e.sqlstate() != kLockNotAvailable) throw;
    throw Refused("[" + e.connection() + "] schema " + schema + " is in use; stop its tickers and workers first");
  }
}

}  // namespace

Removal uninstall(pg::Connection& c, const InstallOptions& options,
                  const std::function<void(const Removal&)>& confirm) {
  pg::Transaction tx(c);
  begin_alone(tx, options.lock_timeout);
  Removal removal{schemas_to_drop(states(tx, options.source), options, c.label()), {}};
  if (removal.schemas.empty()) return removal;

  std::string names = "{";
  for (auto& s : removal.schemas) names += (names.size() > 1 ? "," : "") + s;
  for (const Loss& loss : kLosses)
    if (std::find(removal.schemas.begin(), removal.schemas.end(), loss.schema) != removal.schemas.end())
      for (auto& line : column(tx.exec(loss.query))) removal.lost.push_back(line);
  for (auto& line : column(tx.exec(kDependents, names + "}"))) removal.lost.push_back(line);

  confirm(removal);
  if (options.dry_run) return removal;
  for (auto& s : removal.schemas) drop_schema(tx, s);
  if (removal.schemas.back() != "skytools")
    tx.exec("delete from skytools.module where name = any($1::text[])", names + "}");
  tx.commit();
  return removal;
}

}  // namespace skytools::schema
