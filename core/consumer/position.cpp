#include "core/consumer/position.h"

#include "core/log/log.h"

namespace skytools::consumer {

std::optional<QueuePosition> queue_position(Source& source) {
  pg::Transaction tx(source.connection(), pg::Mode::autocommit);
  pg::Result r = tx.exec("select last_tick, next_tick, coalesce(pending_events, 0) from pgq.get_consumer_info($1, $2)",
                         source.reader().queue, source.reader().name);
  if (r.rows() == 0) return std::nullopt;
  auto [last, next, pending] = r.row<std::int64_t, std::optional<std::int64_t>, std::int64_t>(0);
  return QueuePosition{last, next, pending};
}

namespace {

/// What is left around a tick that is gone, in words.
std::string explain_gone(Source& source, std::int64_t tick, const std::string& keeper) {
  const std::string& queue = source.reader().queue;
  std::string text =
      keeper + " stands at tick " + std::to_string(tick) + ", which queue '" + queue + "' does not have any more";
  pg::Transaction tx(source.connection(), pg::Mode::autocommit);
  pg::Result r = tx.exec(
      "select t.tick_id, n.tick_id, n.tick_event_seq - t.tick_event_seq from pgq.queue q"
      " join lateral (select * from pgq.tick where tick_queue = q.queue_id and tick_id > $2 order by tick_id limit 1) "
      "t on true"
      " join lateral (select * from pgq.tick where tick_queue = q.queue_id order by tick_id desc limit 1) n on true"
      " where q.queue_name = $1",
      queue, tick);
  if (r.rows() == 0) return text + "; it has only older ones: was the database restored?";
  auto [oldest, newest, events] = r.row<std::int64_t, std::int64_t, std::int64_t>(0);
  text += "; the next one it has is " + std::to_string(oldest) + ", with " + std::to_string(events) +
          " events from there to the newest, " + std::to_string(newest) + "; events between " + std::to_string(tick) +
          " and " + std::to_string(oldest) + " are lost for this consumer";
  return text;
}

}  // namespace

void move_to(Source& source, std::int64_t tick, const std::string& keeper) {
  try {
    source.register_at(tick);
  } catch (const pg::SqlError& e) {
    if (e.message().find("tick not found") == std::string::npos) throw;
    std::string text = "[" + source.connection().label() + "] " + explain_gone(source, tick, keeper);
    if (auto position = queue_position(source))
      text += "; --reset goes on at tick " + std::to_string(position->last_tick) +
              ", where the queue has the consumer, " + std::to_string(position->pending) + " events before the newest";
    else
      text += "; --reset lets it begin at the newest tick";
    throw Error(text);
  }
}

Step step_of(const pgq::Batch& batch, std::optional<std::int64_t> kept, const std::string& keeper) {
  if (!kept || *kept == batch.prev_tick) return Step::apply;
  if (*kept == batch.tick) return Step::skip;
  throw Error("lost position: batch " + std::to_string(batch.prev_tick) + ".." + std::to_string(batch.tick) + ", but " +
              keeper + " has tick " + std::to_string(*kept) +
              "; --rewind moves the queue there, --reset goes on where the queue stands");
}

}  // namespace skytools::consumer
