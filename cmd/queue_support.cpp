#include <cmath>

#include "cmd/queue_commands.h"
#include "core/log/log.h"
#include "core/schema/state.h"

namespace skytools::cmd {

QueueDatabase::QueueDatabase(const Context& context)
    : connection_("db", context.db_conninfo(), {.stop = &context.stop}) {
  schema::require(connection_, {"pgq"});
  pgq::use_utf8(connection_);
}

std::optional<std::string> wanted_queue(const Context& context) {
  if (!context.args.empty()) return context.args[0];
  return context.settings.has("queue") ? std::optional(context.settings.text("queue")) : std::nullopt;
}

void QueueDatabase::require_skytools() { schema::require(connection_, {"skytools"}); }

std::optional<std::int64_t> Change::run(const pgq::Step& step) {
  if (!context_.dry_run) return pgq::run(tx_, step);
  steps_.push_back(step);
  return std::nullopt;
}

bool Change::commit() {
  if (!context_.dry_run) {
    tx_.commit();
    return true;
  }
  print_steps(context_, steps_);
  return false;
}

bool permission_denied(const std::exception& e) {
  auto sql = dynamic_cast<const pg::SqlError*>(&e);
  if (sql) return sql->sqlstate() == "42501";
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception& inner) {
    return permission_denied(inner);
  }
  return false;
}

void print_steps(Context& context, const std::vector<pgq::Step>& steps) {
  if (steps.empty() && !context.json) return log::info("nothing to do");
  ui::Table table({"Step", "SQL"});
  for (auto& step : steps) table.add({step.what, step.sql});
  context.print(table);
}

void report(Context& context, const std::string& sentence, const Members& members) {
  log::info(sentence);
  if (context.json) context.out << ui::json_object(members) << '\n';
}

std::string count_of(std::int64_t n, const std::string& thing) {
  return std::to_string(n) + " " + thing + (n == 1 ? "" : "s");
}

std::string consumer_state(const pgq::ConsumerInfo& c) { return c.paused ? "paused" : c.batch ? "in batch" : "idle"; }

ui::Cell rate_cell(const pgq::Inflow& inflow) {
  auto rate = inflow.per_second();
  if (!rate) return {};
  double step = *rate < 10 ? 100 : *rate < 100 ? 10 : 1;
  return std::round(*rate * step) / step;
}

ui::Cell short_text(const std::optional<std::string>& text, std::size_t width) {
  if (!text) return {};
  std::size_t end = 0, columns = 0;
  for (; end < text->size(); ++end)
    if ((static_cast<unsigned char>((*text)[end]) & 0xc0) != 0x80 && ++columns > width) break;
  return end == text->size() ? *text : text->substr(0, end) + "…";
}

}  // namespace skytools::cmd
