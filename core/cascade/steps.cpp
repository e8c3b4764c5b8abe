#include "core/cascade/steps.h"

#include "core/base/failpoint.h"
#include "core/base/quote.h"
#include "core/base/strings.h"
#include "core/config/settings.h"
#include "core/log/log.h"

namespace skytools::cascade {

namespace {

/// Calls of the schemas' functions that answer with ret_code and ret_note are written without a SELECT.
bool answers_with_code(const std::string& sql) { return sql.starts_with("pgq_node.") || sql.starts_with("londiste."); }

std::string text_of(const std::vector<Call>& calls) {
  std::vector<std::string> texts;
  for (auto& call : calls) texts.push_back(call.text());
  return join(texts, "; ");
}

void run_all(pg::Connection& c, const std::vector<Call>& calls) {
  pg::Transaction tx(c);
  for (auto& call : calls) call.run(tx);
  tx.commit();
}

}  // namespace

int Call::run(pg::Transaction& tx) const {
  if (answers_with_code(sql)) return run_command(tx, sql, params);
  tx.exec_list(sql, params);
  return 0;
}

std::string Call::text() const {
  std::string out = answers_with_code(sql) ? "select * from " : "";
  for (std::size_t i = 0; i < sql.size(); ++i) {
    std::size_t n = 0, end = i + 1;
    if (sql[i] == '$')
      while (end < sql.size() && sql[end] >= '0' && sql[end] <= '9')
        n = n * 10 + static_cast<std::size_t>(sql[end++] - '0');
    if (n == 0 || n > params.size()) {
      out += sql[i];
      continue;
    }
    const char* value = params[n - 1].text();
    out += value ? quote_literal(config::mask_password(value)) : "null";
    i = end - 1;
  }
  return out;
}

void Steps::take(const std::string& node, const std::string& what, const std::vector<Call>& calls) {
  take(node, what, text_of(calls), [&] { run_all(net_.at(node), calls); });
}

void Steps::take(pg::Connection& at, const std::string& node, const std::string& what, const std::vector<Call>& calls) {
  take(node, what, text_of(calls), [&] { run_all(at, calls); });
}

void Steps::take(const std::string& node, const std::string& what, const std::string& sql,
                 const std::function<void()>& run) {
  told_.push_back({node, what, sql});
  if (dry_run_) return;
  log::info(what, {{"node", node}});
  run();
  SKYTOOLS_FAILPOINT("cascade.step");
}

}  // namespace skytools::cascade
