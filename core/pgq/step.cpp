#include "core/pgq/step.h"

#include <initializer_list>

#include "core/base/quote.h"
#include "core/base/strings.h"

namespace skytools::pgq {

namespace {

std::string text(const std::optional<std::string>& value) { return value ? quote_literal(*value) : "null"; }

/// `select NAME(arguments)`; arguments are SQL already.
std::string call(std::string_view name, const std::vector<std::string>& arguments) {
  return "select " + std::string(name) + "(" + join(arguments, ", ") + ")";
}

std::string of(const std::string& consumer, const std::string& queue) {
  return "consumer " + consumer + " of queue " + queue;
}

}  // namespace

std::optional<std::int64_t> run(pg::Transaction& tx, const Step& step) {
  return tx.value<std::optional<std::int64_t>>(step.sql);
}

namespace step {

Step create_queue(const std::string& queue) {
  return {"create queue " + queue, call("pgq.create_queue", {text(queue)})};
}

Step drop_queue(const std::string& queue, bool with_consumers) {
  return {"drop queue " + queue + (with_consumers ? " and its consumers" : ""),
          call("pgq.drop_queue", {text(queue), with_consumers ? "true" : "false"})};
}

Step set_queue_config(const std::string& queue, const std::string& parameter, const std::string& value) {
  return {"set " + parameter + " of queue " + queue + " to " + value,
          call("pgq.set_queue_config", {text(queue), text(parameter), text(value)})};
}

Step set_queue_policy(const std::string& queue, const std::string& parameter, const std::optional<std::string>& value) {
  return {"set " + parameter + " of queue " + queue + " to " + value.value_or("none"),
          call("skytools.set_queue_policy", {text(queue), text(parameter), text(value)})};
}

Step register_consumer(const std::string& queue, const std::string& consumer) {
  return {"register " + of(consumer, queue), call("pgq.register_consumer", {text(queue), text(consumer)})};
}

Step register_consumer_at(const std::string& queue, const std::string& consumer, std::int64_t tick) {
  std::string id = std::to_string(tick);
  return {"put " + of(consumer, queue) + " at tick " + id,
          call("pgq.register_consumer_at", {text(queue), text(consumer), id})};
}

Step unregister_consumer(const std::string& queue, const std::string& consumer) {
  return {"unregister " + of(consumer, queue), call("pgq.unregister_consumer", {text(queue), text(consumer)})};
}

Step force_tick(const std::string& queue) {
  return {"ask the ticker for a tick of queue " + queue, call("pgq.force_tick", {text(queue)})};
}

Step tick(const std::string& queue) {
  return {"make a tick of queue " + queue, call("skytools.tick", {text(queue), "interval '0'"})};
}

Step spend_event_id(const std::string& queue, const std::string& sequence) {
  return {"spend an event id of queue " + queue + ", so that a tick is due",
          call("pg_catalog.nextval", {text(TableName::parse(sequence).sql())})};
}

Step seek(const std::string& queue, const std::string& consumer, std::int64_t tick) {
  std::string id = std::to_string(tick);
  return {"move " + of(consumer, queue) + " to tick " + id,
          call("skytools.seek", {text(queue), text(consumer), id + "::bigint"})};
}

Step pause_consumer(const std::string& queue, const std::string& consumer, bool pause) {
  return {(pause ? "pause " : "resume ") + of(consumer, queue),
          call(pause ? "skytools.pause_consumer" : "skytools.resume_consumer", {text(queue), text(consumer)})};
}

Step dead_replay(const std::string& queue, const std::string& consumer, const std::optional<std::string>& ids) {
  return {"give dead letters back to " + of(consumer, queue),
          call("skytools.dead_replay", {text(queue), text(consumer), text(ids)})};
}

Step dead_purge(const std::string& queue, const std::string& consumer, const std::optional<std::string>& ids) {
  return {"delete dead letters of " + of(consumer, queue),
          call("skytools.dead_purge", {text(queue), text(consumer), text(ids)})};
}

}  // namespace step
}  // namespace skytools::pgq
