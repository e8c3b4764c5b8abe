#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace skytools::consumer {

/// What became of the events of a batch. Nothing to tag means done: only events that shall come again, or never again,
/// stand here.
struct Answers {
  struct Retry {
    std::int64_t event;
    std::optional<std::int64_t> seconds;  ///< nullopt: as the queue's backoff says
  };
  struct Dead {
    std::int64_t event;
    std::string reason;
  };
  std::vector<Retry> retries;
  std::vector<Dead> dead;

  void retry(std::int64_t event, std::optional<std::int64_t> seconds = std::nullopt) {
    retries.push_back({event, seconds});
  }
  void give_up(std::int64_t event, std::string reason) { dead.push_back({event, std::move(reason)}); }
  bool all_done() const { return retries.empty() && dead.empty(); }
};

}  // namespace skytools::consumer
