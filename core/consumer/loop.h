#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/consumer/sink.h"
#include "core/consumer/spool.h"

namespace skytools::consumer {

/// How a consumer reads. All but `reader` and `may_register` may be told anew while it runs.
struct Settings {
  Reader reader;
  bool may_register = false;  ///< register at start when missing
  bool once = false;          ///< work off what is there, then return
  pgq::BatchShape shape;
  std::vector<std::string> tables;  ///< only events whose ev_extra1 is one of these; empty: all
  milliseconds loop_delay = std::chrono::seconds(1);
  milliseconds stats_interval = std::chrono::minutes(5);
  milliseconds lifetime = std::chrono::minutes(20);  ///< of the source's connection
  milliseconds longest_pause = std::chrono::seconds(20);
  std::size_t fetch_bytes = 16 << 20;
};

/// The condition over ev_* for a list of tables; "" for an empty one. A name without schema means public.
std::string table_condition(const std::vector<std::string>& tables);

/// Takes batch after batch of a consumer and gives them to a sink: until a stop, or with `once` until nothing is left.
/// Delivery is at least once; the sink makes more of it by keeping the position with its effect.
class Loop {
 public:
  /// @param reload  new settings, when somebody asked for them; looked at between batches
  Loop(Settings settings, Sink& sink, Surroundings around, std::function<std::optional<Settings>()> reload = {});
  /// One session with the source. Can be called again after an error. @throws Error
  void run();
  const Settings& settings() const { return settings_; }

 private:
  bool session();  ///< false: the connection has served its time
  void process(Source& source, const pgq::Batch& batch);
  void close(Work& work, std::int64_t events);
  void rest(Source& source);
  void take_new_settings();
  void log_stats();

  Settings settings_;
  Sink& sink_;
  Surroundings around_;
  std::function<std::optional<Settings>()> reload_;
  Spool spool_;
  Clock::time_point stats_due_;
  std::int64_t events_ = 0, batches_ = 0, retried_ = 0, dead_ = 0, busy_ms_ = 0;
  double lag_ = 0;  ///< seconds, of the last batch
};

}  // namespace skytools::consumer
