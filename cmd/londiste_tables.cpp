#include <algorithm>

#include "cmd/londiste_commands.h"
#include "core/base/error.h"
#include "core/base/urlcode.h"
#include "core/londiste/registration.h"
#include "core/schema/state.h"

namespace skytools::cmd {

namespace {

/// The set of --queue at --db; the schemas are looked for first, so that their absence is told as such.
londiste::Set open_set(Context& context) {
  std::string queue = context.queue();
  pg::Connection c("db", context.db_conninfo(), {.stop = &context.stop});
  schema::require(c, {"pgq", "pgq_node", "londiste"});
  return londiste::Set(context.db_conninfo(), queue, context.stop);
}

std::vector<std::string> patterns_of(const Context& context, std::string_view what) {
  bool all = context.settings.boolean("all");
  if (context.args.empty() && !all) throw UsageError("which " + std::string(what) + "? give names or globs, or --all");
  std::vector<std::string> patterns = context.args;
  if (all) patterns.insert(patterns.begin(), "*");
  return patterns;
}

void print_registrations(Context& context, const std::vector<londiste::Registration>& done, const char* heading) {
  ui::Table table({heading, "result", "note"});
  for (auto& r : done) table.add({r.name, r.result, r.note});
  if (!done.empty() || context.json) context.print(table);
}

}  // namespace

int add_table(Context& context) {
  const config::Settings& s = context.settings;
  londiste::AddTables request{.patterns = patterns_of(context, "tables"),
                              .create = s.boolean("create"),
                              .expect_sync = s.boolean("expect_sync"),
                              .skip_truncate = s.boolean("skip_truncate"),
                              .skip_non_existing = s.boolean("skip_non_existing"),
                              .no_triggers = s.boolean("no_triggers"),
                              .merge_all = s.boolean("merge_all"),
                              .no_merge = s.boolean("no_merge"),
                              .force = s.boolean("force"),
                              .dest_table = s.text("dest_table"),
                              .trigger_flags = s.text("trigger_flags"),
                              .trigger_args = s.list("trigger_arg"),
                              .max_parallel_copy = s.integer("max_parallel_copy"),
                              .dry_run = context.dry_run};
  londiste::Set set = open_set(context);
  auto done = londiste::add_tables(set, request);
  print_registrations(context, done, "table");
  if (s.boolean("wait_sync") && !context.dry_run) {
    std::vector<std::string> names;
    for (auto& r : done)
      if (r.result != "skipped") names.push_back(r.name);
    if (!names.empty()) londiste::wait_sync(set, names, context.deadline());
  }
  return 0;
}

int add_seq(Context& context) {
  const config::Settings& s = context.settings;
  londiste::AddSequences request{.patterns = patterns_of(context, "sequences"),
                                 .create = s.boolean("create"),
                                 .skip_non_existing = s.boolean("skip_non_existing"),
                                 .force = s.boolean("force"),
                                 .dry_run = context.dry_run};
  londiste::Set set = open_set(context);
  print_registrations(context, londiste::add_sequences(set, request), "sequence");
  return 0;
}

int list_tables(Context& context) {
  londiste::Set set = open_set(context);
  pg::Transaction tx(set.local(), pg::Mode::autocommit);
  ui::Table out({"table", "local", "state", "destination", "attributes"});
  for (auto& t : londiste::table_list(tx, set.queue())) {
    std::vector<Field> attributes;
    for (auto& [key, value] : t.attributes) attributes.push_back({key, value});
    std::string text = encode_row(attributes);
    out.add({t.name, t.local, t.local ? ui::Cell(t.state.str()) : ui::Cell(), t.dest.str(),
             text.empty() ? ui::Cell() : ui::Cell(text)});
  }
  context.print(out);
  return 0;
}

int list_seqs(Context& context) {
  londiste::Set set = open_set(context);
  pg::Transaction tx(set.local(), pg::Mode::autocommit);
  ui::Table out({"sequence", "local", {"last value", "last_value"}});
  for (auto& s : londiste::sequence_list(tx, set.queue())) out.add({s.name, s.local, s.last_value});
  context.print(out);
  return 0;
}

int list_missing(Context& context) {
  londiste::Set set = open_set(context);
  pg::Transaction tx(set.local(), pg::Mode::autocommit);
  pg::Result r = tx.exec("select obj_kind, obj_name from londiste.local_show_missing($1)", set.queue());
  ui::Table out({"kind", "name"});
  for (int i = 0; i < r.rows(); ++i) out.add({r.text(i, 0) == "S" ? "sequence" : "table", r.text(i, 1)});
  context.print(out);
  return 0;
}

int wait_sync(Context& context) {
  londiste::Set set = open_set(context);
  std::vector<std::string> names;
  for (auto& name : context.args) names.push_back(TableName::parse(name).str());
  londiste::wait_sync(set, names, context.deadline());
  return 0;
}

}  // namespace skytools::cmd
