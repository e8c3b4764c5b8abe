#include "tests/support/roaming_load.h"

#include <algorithm>
#include <memory>

#include "core/pg/transaction.h"
#include "tests/support/cluster.h"

namespace skytools::test {

namespace {

std::set<std::int64_t> ids_of(const std::string& conninfo) {
  pg::Connection c("oracle", conninfo);
  pg::Transaction tx(c);
  pg::Result r = tx.exec("select id from ledger");
  std::set<std::int64_t> ids;
  for (int i = 0; i < r.rows(); ++i) ids.insert(*r.get<std::int64_t>(i, 0));
  return ids;
}

std::string some(const std::set<std::int64_t>& ids) {
  std::string text = std::to_string(ids.size()) + ":";
  int n = 0;
  for (auto id : ids)
    if (++n <= 5) text += " " + std::to_string(id);
  return text;
}

}  // namespace

RoamingLoad::RoamingLoad(std::vector<std::string> databases, int clients) : databases_(std::move(databases)) {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this, i] { client(i); });
}

void RoamingLoad::stop() {
  stop_.request();
  for (auto& t : threads_) t.join();
  threads_.clear();
}

void RoamingLoad::client(int number) {
  constexpr milliseconds kNap(2);
  std::unique_ptr<pg::Connection> c;
  std::size_t at = 0;
  std::int64_t id = (number + 1) * 1'000'000'000LL;
  while (!stop_.requested()) {
    std::shared_lock gate(gate_);
    ++id;
    bool committing = false;
    try {
      if (!c || c->lost())
        c = std::make_unique<pg::Connection>("client", databases_[at],
                                             pg::ConnectOptions{.connect_timeout = std::chrono::seconds(2)});
      pg::Transaction tx(*c);
      tx.exec("insert into ledger values ($1, $2, $3)", id, id % 50 + 1, id % 97);
      tx.exec("update account set balance = balance + $2 where id = $1", id % 50 + 1, id % 97);
      committing = true;
      tx.commit();
      std::lock_guard lock(mutex_);
      committed_.insert(id);
      ++committed_count_;
      auto now = Clock::now();
      gap_ = std::max(gap_, std::chrono::ceil<milliseconds>(now - last_commit_));
      last_commit_ = now;
    } catch (const pg::CommitInDoubt&) {
      std::lock_guard lock(mutex_);
      unknown_.insert(id);
    } catch (const Error&) {
      // A COMMIT that was refused (a deferred capture trigger) is no commit.
      if (committing && c && c->lost()) {
        std::lock_guard lock(mutex_);
        unknown_.insert(id);
      }
      c.reset();
      at = (at + 1) % databases_.size();
    }
    gate.unlock();
    stop_.wait(kNap);
  }
}

milliseconds RoamingLoad::longest_gap() {
  std::lock_guard lock(mutex_);
  return std::exchange(gap_, milliseconds(0));
}

std::set<std::int64_t> RoamingLoad::missing(const std::string& conninfo) const {
  auto there = ids_of(conninfo);
  std::set<std::int64_t> out;
  std::set_difference(committed_.begin(), committed_.end(), there.begin(), there.end(), std::inserter(out, out.end()));
  return out;
}

std::string RoamingLoad::verify(const std::string& conninfo, const std::set<std::int64_t>& lost) const {
  auto there = ids_of(conninfo);
  std::set<std::int64_t> missing_ids, surplus;
  for (auto id : committed_)
    if (!there.contains(id) && !lost.contains(id)) missing_ids.insert(id);
  for (auto id : there)
    if (!committed_.contains(id) && !unknown_.contains(id)) surplus.insert(id);
  std::string text;
  if (!missing_ids.empty()) text += "missing " + some(missing_ids) + "; ";
  if (!surplus.empty()) text += "surplus " + some(surplus) + "; ";
  if (query(conninfo,
            "select count(*) from account a where balance <> (select coalesce(sum(amount), 0) from ledger l where "
            "l.account = a.id)") != "0")
    text += "balances differ from the ledger";
  return text;
}

}  // namespace skytools::test
