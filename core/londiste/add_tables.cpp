#include <algorithm>
#include <set>

#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/londiste/registration.h"
#include "core/londiste/statements.h"
#include "core/londiste/structure.h"

namespace skytools::londiste {

namespace {

using cascade::run_command;
constexpr const char* kLockTimeout = "10s";  ///< a table in use must not make the command wait, or others behind it

/// One table to be added and what has to be done for it.
struct Candidate {
  std::string name;
  TableName dest;
  std::vector<std::string> create;  ///< statements that make the table first
};

std::vector<std::string> missing_names(pg::Connection& c, const std::string& queue, const char* kind) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  pg::Result r = tx.exec("select obj_name from londiste.local_show_missing($1) where obj_kind = $2", queue, kind);
  std::vector<std::string> names;
  for (int i = 0; i < r.rows(); ++i) names.emplace_back(r.text(i, 0));
  return names;
}

std::map<std::string, Table> tables_at(pg::Connection& c, const std::string& queue) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  std::map<std::string, Table> out;
  for (auto& table : table_list(tx, queue)) out.emplace(table.name, table);
  return out;
}

/// Partitioned tables that are no partition themselves: local_show_missing() knows their partitions only.
std::vector<std::string> partitioned_tables(pg::Connection& c) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  pg::Result r = tx.exec(
      "select n.nspname || '.' || c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = "
      "c.relnamespace"
      " where c.relkind = 'p' and not c.relispartition and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'");
  std::vector<std::string> names;
  for (int i = 0; i < r.rows(); ++i) names.emplace_back(r.text(i, 0));
  return names;
}

/// Names that can be meant: those of the set, and on the root every table of the database.
std::vector<std::string> known_tables(Set& set, const std::map<std::string, Table>& of_set) {
  std::set<std::string> names;
  for (auto& [name, table] : of_set) names.insert(name);
  if (set.root()) {
    for (auto& name : missing_names(set.local(), set.queue(), "r")) names.insert(name);
    for (auto& name : partitioned_tables(set.local())) names.insert(name);
  }
  return {names.begin(), names.end()};
}

/// Takes away partitions of tables that are chosen too: their rows come with the whole.
void drop_partitions(pg::Connection& c, std::vector<std::string>& names) {
  pg::Transaction tx(c, pg::Mode::autocommit);
  std::set<std::string> chosen(names.begin(), names.end());
  std::erase_if(names, [&](const std::string& name) {
    pg::Result r = tx.exec(
        "select n.nspname || '.' || c.relname from pg_catalog.pg_partition_ancestors(to_regclass($1)) a"
        " join pg_catalog.pg_class c on c.oid = a.relid join pg_catalog.pg_namespace n on n.oid = c.relnamespace",
        TableName::parse(name).sql());
    for (int i = 0; i < r.rows(); ++i)
      if (r.text(i, 0) != name && chosen.contains(std::string(r.text(i, 0)))) return true;
    return false;
  });
}

/// Refuses names that cannot be added, or goes on without them when forced.
void report_unavailable(const std::vector<std::string>& names, bool force, const std::string& where) {
  if (names.empty()) return;
  std::string text = join(names, ", ") + " not available on " + where;
  if (!force) throw Error("cannot proceed: " + text + "; nothing was added (--force goes on without)");
  log::warning(text);
}

std::string trigger_arguments(const AddTables& request) {
  std::vector<std::string> args;
  if (request.expect_sync) args.emplace_back("expect_sync");
  if (request.skip_truncate) args.emplace_back("skip_truncate");
  if (request.no_triggers) args.emplace_back("no_triggers");
  if (request.merge_all) args.emplace_back("merge_all");
  if (request.no_merge) args.emplace_back("no_merge");
  if (!request.trigger_flags.empty()) args.push_back("tgflags=" + request.trigger_flags);
  args.insert(args.end(), request.trigger_args.begin(), request.trigger_args.end());
  std::string array = "{";
  for (auto& arg : args) append_element(array, arg);
  return array + "}";
}

class TableAdder {
 public:
  TableAdder(Set& set, const AddTables& request) : set_(set), request_(request) {}

  std::vector<Registration> run() {
    if (!set_.root() && !request_.dry_run) equalise_lists(set_);
    choose();
    for (auto& candidate : candidates_) add(candidate);
    return std::move(done_);
  }

 private:
  void choose() {
    auto registered = tables_at(set_.local(), set_.queue());
    std::vector<std::string> unmatched, unavailable;
    std::map<std::string, Table> at_provider;
    if (!set_.root()) at_provider = tables_at(set_.provider(), set_.queue());
    auto names = select_names(request_.patterns, known_tables(set_, set_.root() ? registered : at_provider), unmatched);
    if (set_.root()) drop_partitions(set_.local(), names);
    report_unavailable(unmatched, request_.force,
                       set_.root() ? "this database" : "provider " + set_.info().provider_node);
    if (!request_.dest_table.empty() && names.size() != 1) throw UsageError("--dest-table goes with exactly one table");
    std::vector<std::string> absent;
    for (auto& name : names) {
      auto it = registered.find(name);
      if (it != registered.end() && it->second.local) {
        done_.push_back({name, "already added", ""});
        continue;
      }
      if (!set_.root() && !request_.expect_sync && !at_provider[name].local) {
        unavailable.push_back(name);
        continue;
      }
      consider(name, absent);
    }
    report_unavailable(unavailable, request_.force, "provider " + set_.info().provider_node);
    if (!absent.empty() && !request_.force)
      throw Error("[" + set_.local().label() + "] cannot proceed: " + join(absent, ", ") +
                  " does not exist here; nothing was added (" + (set_.root() ? "" : "--create makes it, ") +
                  "--skip-non-existing leaves it out)");
  }

  void consider(const std::string& name, std::vector<std::string>& absent) {
    Candidate candidate{name, TableName::parse(request_.dest_table.empty() ? name : request_.dest_table), {}};
    bool exists;
    {
      pg::Transaction tx(set_.local(), pg::Mode::autocommit);
      exists = table_exists(tx, candidate.dest);
    }
    if (!exists && request_.create && !set_.root()) {
      pg::Transaction tx(set_.provider(), pg::Mode::read_only);
      // The provider may itself keep the table under another name.
      auto there = find_table(tx, set_.queue(), name);
      candidate.create =
          create_table_statements(tx, there && there->local ? there->dest : TableName::parse(name), candidate.dest);
    } else if (!exists && request_.skip_non_existing) {
      done_.push_back({name, "skipped", "does not exist here"});
      return;
    } else if (!exists) {
      absent.push_back(name);
      return;
    }
    candidates_.push_back(std::move(candidate));
  }

  void add(const Candidate& candidate) {
    set_.stop().check();
    Registration result{candidate.name, request_.dry_run ? "would be added" : "added", join(candidate.create, "; ")};
    if (request_.dry_run) {
      done_.push_back(std::move(result));
      return;
    }
    pg::Transaction tx(set_.local());
    tx.exec("select set_config('lock_timeout', $1, true), set_config('check_function_bodies', 'off', true)",
            kLockTimeout);
    for (auto& statement : candidate.create) tx.exec(statement);
    result.note = candidate.create.empty() ? "" : "created";
    std::optional<std::string> dest, attributes;
    if (candidate.dest.str() != candidate.name) dest = candidate.dest.str();
    if (request_.max_parallel_copy > 0) attributes = "max_parallel_copy=" + std::to_string(request_.max_parallel_copy);
    run_command(tx, "londiste.local_add_table($1, $2, $3::text[], $4, $5)",
                {set_.queue(), candidate.name, trigger_arguments(request_), attributes, dest});
    notify_workers(tx);
    tx.commit();
    log::info("table added: " + candidate.name, {{"queue", set_.queue()}});
    done_.push_back(std::move(result));
  }

  /// Of a merge leaf, the workers of the other parts and of the combined queue have a table more, too.
  void notify_workers(pg::Transaction& tx) {
    tx.exec(
        "select pg_catalog.pg_notify($1, n.queue_name) from pgq_node.node_info n left join pgq_node.node_info me"
        " on me.queue_name = $2 where $2 = n.queue_name or me.combined_queue in (n.queue_name, n.combined_queue)",
        cascade::kNodeChannel, set_.queue());
  }

  Set& set_;
  const AddTables& request_;
  std::vector<Candidate> candidates_;
  std::vector<Registration> done_;
};

std::vector<Registration> register_sequences(Set& set, const AddSequences& request,
                                             const std::vector<std::string>& names) {
  std::vector<Registration> done;
  std::map<std::string, bool> local;
  {
    pg::Transaction tx(set.local(), pg::Mode::autocommit);
    for (auto& sequence : sequence_list(tx, set.queue())) local[sequence.name] = sequence.local;
  }
  for (auto& name : names) {
    if (local[name]) {
      done.push_back({name, "already added", ""});
      continue;
    }
    TableName sequence = TableName::parse(name);
    std::string create;
    pg::Transaction tx(set.local());
    if (!sequence_exists(tx, sequence)) {
      if (request.create && !set.root()) {
        pg::Transaction source(set.provider(), pg::Mode::autocommit);
        create = create_sequence_statement(source, sequence);
        if (!request.dry_run) tx.exec("create schema if not exists " + quote_ident(sequence.schema)), tx.exec(create);
      } else if (request.skip_non_existing) {
        done.push_back({name, "skipped", "does not exist here"});
        continue;
      } else {
        throw Error("[" + set.local().label() + "] sequence " + name +
                    " does not exist here (--create makes it, --skip-non-existing leaves it out)");
      }
    }
    if (request.dry_run) {
      done.push_back({name, "would be added", create});
      continue;
    }
    run_command(tx, "londiste.local_add_seq($1, $2)", {set.queue(), name});
    tx.commit();
    log::info("sequence added: " + name, {{"queue", set.queue()}});
    done.push_back({name, "added", create.empty() ? "" : "created"});
  }
  return done;
}

}  // namespace

std::vector<Registration> add_tables(Set& set, const AddTables& request) { return TableAdder(set, request).run(); }

std::vector<Registration> add_sequences(Set& set, const AddSequences& request) {
  if (!set.root() && !request.dry_run) equalise_lists(set);
  std::set<std::string> known;
  {
    pg::Transaction tx(set.root() ? set.local() : set.provider(), pg::Mode::autocommit);
    for (auto& sequence : sequence_list(tx, set.queue())) known.insert(sequence.name);
  }
  if (set.root())
    for (auto& name : missing_names(set.local(), set.queue(), "S")) known.insert(name);
  std::vector<std::string> unmatched;
  auto names = select_names(request.patterns, {known.begin(), known.end()}, unmatched);
  report_unavailable(unmatched, request.force, set.root() ? "this database" : "provider " + set.info().provider_node);
  return register_sequences(set, request, names);
}

void equalise_lists(Set& set) {
  auto here = tables_at(set.local(), set.queue()), there = tables_at(set.provider(), set.queue());
  std::vector<Sequence> sequences;
  {
    pg::Transaction tx(set.provider(), pg::Mode::autocommit);
    sequences = sequence_list(tx, set.queue());
  }
  pg::Transaction tx(set.local());
  for (auto& [name, table] : there)
    if (!here.contains(name)) {
      log::info("table " + name + " info missing from subscriber, adding");
      run_command(tx, "londiste.global_add_table($1, $2)", {set.queue(), name});
    }
  for (auto& [name, table] : here)
    if (!there.contains(name)) {
      log::warning("table " + name + " gone but exists on subscriber, removing");
      run_command(tx, "londiste.global_remove_table($1, $2)", {set.queue(), name});
    }
  std::set<std::string> known;
  for (auto& sequence : sequence_list(tx, set.queue())) known.insert(sequence.name);
  for (auto& sequence : sequences)
    if (!known.contains(sequence.name))
      run_command(tx, "londiste.global_update_seq($1, $2, $3)", {set.queue(), sequence.name, sequence.last_value});
  tx.commit();
}

}  // namespace skytools::londiste
