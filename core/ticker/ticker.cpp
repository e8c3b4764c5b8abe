#include "core/ticker/ticker.h"

#include <algorithm>

#include "core/log/log.h"
#include "core/ticker/api.h"
#include "core/ticker/discovery.h"

namespace skytools::ticker {

namespace {
constexpr milliseconds kHeartbeat{500};  // reload, statistics and discovery are looked at this often
}

Ticker::Ticker(Settings settings, Surroundings surroundings)
    : around_(std::move(surroundings)), periods_(settings.periods), settings_(std::move(settings)) {}

Periods Ticker::periods() const {
  std::lock_guard lock(mutex_);
  return periods_;
}

void Ticker::probe(const std::string& conninfo) const {
  pg::Connection connection("ticker", conninfo, connect_options(around_.stop));
  if (!settings_.discover) Api api(connection);
}

void Ticker::run() {
  for (auto& conninfo : settings_.databases) pg::conninfo_summary(conninfo);  // a bad one is a usage error, not a retry
  if (settings_.databases.size() == 1) probe(settings_.databases.front());
  settings_.discover ? search() : start_and_stop(settings_.databases);
  around_.ready();

  Deadline next_search(periods().check), next_stats(periods().stats);
  while (around_.stop.wait(kHeartbeat)) {
    around_.alive();
    if (auto fresh = around_.reload()) {
      apply(std::move(*fresh));
      next_search = Deadline(periods().check);
      next_stats = Deadline(periods().stats);
    }
    if (settings_.discover && next_search.passed()) {
      search();
      next_search = Deadline(periods().check);
    }
    if (periods().stats.count() > 0 && next_stats.passed()) {
      write_stats();
      next_stats = Deadline(periods().stats);
    }
  }
  around_.stopping();
  stop_all();
}

std::vector<std::string> Ticker::named_or_found() const {
  if (!settings_.discover) return settings_.databases;
  std::vector<std::string> conninfos;
  for (auto& conninfo : settings_.databases)
    for (auto& found : discover(conninfo, {}, around_.stop)) conninfos.push_back(found);
  return conninfos;
}

std::vector<Ticker::Step> Ticker::plan() {
  std::vector<Step> steps;
  for (auto& conninfo : named_or_found())
    for (Plan plan = plan_once(conninfo, around_.stop); auto& sql : plan.statements)
      steps.push_back({plan.database, sql});
  return steps;
}

void Ticker::run_once() {
  std::vector<std::string> conninfos = named_or_found();
  if (conninfos.size() == 1) {
    if (int failed = serve_once(conninfos.front(), periods(), around_.stop))
      throw Error(std::to_string(failed) + " of the due operations failed, see the log");
    return;
  }
  int failed = 0;
  for (auto& conninfo : conninfos) {
    try {
      failed += serve_once(conninfo, periods(), around_.stop);
    } catch (const Stopped&) {
      throw;
    } catch (const Error& e) {
      ++failed;
      log::warning(describe(e));
    }
  }
  if (failed) throw Error(std::to_string(failed) + " of the due operations failed, see the log");
}

void Ticker::start_and_stop(const std::vector<std::string>& wanted) {
  auto unwanted = [&](auto& entry) { return std::find(wanted.begin(), wanted.end(), entry.first) == wanted.end(); };
  for (auto& entry : databases_) {  // first all are told, then waited for
    if (!unwanted(entry)) continue;
    entry.second->stop();
    log::info("no longer served", {{"db", pg::conninfo_summary(entry.first)}});
  }
  std::erase_if(databases_, unwanted);
  std::erase_if(told_, unwanted);
  for (auto& conninfo : wanted)
    if (!databases_.contains(conninfo))
      databases_.emplace(conninfo, std::make_unique<Database>(conninfo, [this] { return periods(); }));
}

void Ticker::search() {
  std::vector<std::string> wanted, known;
  for (auto& entry : databases_) known.push_back(entry.first);
  for (auto& conninfo : settings_.databases) {
    try {
      for (auto& found : discover(conninfo, known, around_.stop)) wanted.push_back(found);
    } catch (const Stopped&) {
      return;
    } catch (const pg::SqlError& e) {
      log::warning(std::string(e.what()) + "; what is served stays as it is");
      return;
    }
  }
  start_and_stop(wanted);
}

void Ticker::apply(Settings settings) {
  {
    std::lock_guard lock(mutex_);
    periods_ = settings.periods;
  }
  settings_ = std::move(settings);
  settings_.discover ? search() : start_and_stop(settings_.databases);
}

void Ticker::write_stats() {
  Counts sum;
  std::int64_t serving = 0;
  for (auto& [conninfo, database] : databases_) {
    const Stats& s = database->stats();
    Counts& told = told_[conninfo];
    Counts now{s.ticks, s.maint, s.retry, s.errors};
    sum.ticks += now.ticks - told.ticks, sum.maint += now.maint - told.maint;
    sum.retry += now.retry - told.retry, sum.errors += now.errors - told.errors;
    told = now;
    serving += s.state == State::serving;
    log::debug("statistics since the start", {{"db", pg::conninfo_summary(conninfo)},
                                              {"state", std::string(state_name(s.state))},
                                              {"ticks", now.ticks},
                                              {"maint", now.maint},
                                              {"retry", now.retry},
                                              {"errors", now.errors}});
  }
  // The shape of this line is the original daemon's; scripts read it.
  log::info("{ticks: " + std::to_string(sum.ticks) + ", maint: " + std::to_string(sum.maint) +
                ", retry: " + std::to_string(sum.retry) + "}",
            {{"databases", databases_.size()}, {"serving", serving}, {"errors", sum.errors}});
}

void Ticker::stop_all() {
  for (auto& entry : databases_) entry.second->stop();
  databases_.clear();
}

}  // namespace skytools::ticker
