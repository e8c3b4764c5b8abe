#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace skytools::pgq {

/// One row of a batch. Text is as the server sent it; NULL differs from "".
struct Event {
  std::int64_t id = 0;
  std::int64_t txid = 0;              ///< transaction that inserted it into the queue it was read from
  std::string time;                   ///< ISO timestamp with zone
  std::optional<std::int64_t> retry;  ///< times retried; a retried event must not reach a cascaded worker
  std::string type;                   ///< NULL is read as ""
  std::string data;                   ///< NULL is read as "", see data_null
  bool data_null = false;
  std::array<std::optional<std::string>, 4> extra;
};

/// "2026-01-02 03:04:05.678+00" → "2026-01-02T03:04:05.678+00:00"; other texts (infinity) stay as they are.
std::string iso_time(const std::string& time);

/// A batch is what became visible between two ticks.
struct Batch {
  std::int64_t id = 0;
  std::int64_t tick = 0, prev_tick = 0;
  std::string tick_time, prev_tick_time;  ///< ISO timestamps with zone
  std::int64_t seq = 0, prev_seq = 0;     ///< event sequence at the ticks: their difference estimates the events
  double lag = 0;                         ///< seconds since the tick, when the batch was taken
};

}  // namespace skytools::pgq
