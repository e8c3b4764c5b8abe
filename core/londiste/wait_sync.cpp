#include <algorithm>
#include <set>

#include "core/base/strings.h"
#include "core/log/log.h"
#include "core/londiste/registration.h"

namespace skytools::londiste {

namespace {
constexpr milliseconds kPoll(1000);  ///< notifications wake earlier

/// The tables of `wanted` (empty: all local ones) that are not in sync yet.
std::set<std::string> unfinished(pg::Transaction& tx, const std::string& queue, const std::set<std::string>& wanted) {
  std::set<std::string> left, seen;
  for (auto& table : table_list(tx, queue)) {
    bool counts = wanted.empty() ? table.local : wanted.contains(table.name);
    if (!counts) continue;
    if (table.local) seen.insert(table.name);
    if (table.state.kind != MergeState::ok) left.insert(table.name);
  }
  for (auto& name : wanted)
    if (!seen.contains(name)) throw Error("table " + name + " is not registered on this node any more");
  return left;
}

}  // namespace

void wait_sync(Set& set, const std::vector<std::string>& tables, const Deadline& deadline) {
  std::set<std::string> wanted(tables.begin(), tables.end()), before;
  pg::listen(set.local(), cascade::kNodeChannel);
  std::size_t total = 0;
  for (bool first = true;; first = false) {
    std::set<std::string> left;
    {
      pg::Transaction tx(set.local(), pg::Mode::autocommit);
      left = unfinished(tx, set.queue(), wanted);
    }
    if (first) {
      total = left.size();
      log::info(std::to_string(total) + " table(s) to copy");
    } else {
      for (auto& name : before)
        if (!left.contains(name))
          log::info(name + ": finished (" + std::to_string(total - std::min(total, left.size())) + "/" +
                    std::to_string(total) + ")");
    }
    if (left.empty()) return log::info("all done");
    if (deadline.passed())
      throw TimedOut("[" + set.local().label() + "] still to be copied: " + join({left.begin(), left.end()}, ", ") +
                     "; is the worker running?");
    before = std::move(left);
    if (!set.local().wait_readable(deadline.left(kPoll))) throw Stopped();
    set.local().notifications();
  }
}

}  // namespace skytools::londiste
