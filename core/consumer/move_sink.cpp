#include "core/consumer/move_sink.h"

#include "core/base/failpoint.h"
#include "core/consumer/session.h"
#include "core/log/log.h"

namespace skytools::consumer {

namespace {

using pgq::EventStream;

constexpr std::size_t kHeld = 8 << 20;    // bytes of all queues together, before they are sent
constexpr std::size_t kSendAt = 1 << 20;  // bytes of one queue
constexpr milliseconds kSignOfLife(1000);

struct Field {
  std::string_view name;
  EventStream::Column column;
};
constexpr Field kFields[] = {{"type", EventStream::kType},
                             {"extra1", EventStream::kExtra1},
                             {"extra2", EventStream::kExtra2},
                             {"extra3", EventStream::kExtra3},
                             {"extra4", EventStream::kExtra4}};

/// The writers of a batch, one per queue, with a limit over all of them.
class Writers {
 public:
  explicit Writers(pg::Transaction& target) : target_(target) {}
  QueueWriter& of(const std::string& queue) { return writers_.try_emplace(queue, target_, queue).first->second; }
  bool knows(const std::string& queue) const { return writers_.contains(queue); }
  void add(QueueWriter& writer, const EventStream& events) {
    std::size_t before = writer.bytes();
    writer.add(events);
    held_ += writer.bytes() - before;
    if (writer.bytes() >= kSendAt) {
      held_ -= writer.bytes();
      writer.flush();
    } else if (held_ >= kHeld) {
      flush();
    }
  }
  void flush() {
    for (auto& [queue, writer] : writers_) writer.flush();
    held_ = 0;
  }
  bool empty() const { return writers_.empty(); }

 private:
  pg::Transaction& target_;
  std::map<std::string, QueueWriter> writers_;
  std::size_t held_ = 0;
};

}  // namespace

int route_column(const std::string& field) {
  std::string known;
  for (auto& f : kFields) {
    if (f.name == field) return f.column;
    known += (known.empty() ? "" : ", ") + std::string(f.name);
  }
  throw UsageError("no field '" + field + "' to split by; there are " + known);
}

MoveSink::MoveSink(Route route, StopToken& stop, std::function<void()> alive)
    : route_(std::move(route)), stop_(stop), alive_(std::move(alive)) {}

void MoveSink::connect(Source& source) {
  name_ = source.reader().name;
  target_ = std::make_unique<pg::Connection>(
      "to", route_.to, pg::ConnectOptions{.stop = &stop_, .application_name = "skytools consumer", .on_wait = alive_});
  std::string encoding;
  {
    pg::Transaction tx(source.connection(), pg::Mode::autocommit);
    encoding = tx.value<std::string>("select current_setting('server_encoding')");
  }
  // No conversion on the way: both ends speak the source's server encoding.
  prepare_session(source.connection(), encoding);
  prepare_session(*target_, encoding);
  pg::Transaction tx(*target_, pg::Mode::autocommit);
  for (auto [function, module] :
       {std::pair{"pgq.current_event_table(text)", "pgq"}, std::pair{"pgq_ext.get_last_tick(text)", "pgq_ext"}})
    if (!tx.value<bool>("select to_regprocedure($1) is not null", function)) schema_is_missing(*target_, module);
  mark_ = TargetMark(name_, "");
  source_ = same_database(source.connection(), *target_) ? source.reader().queue : "";
  if (!route_.queue.empty()) check_queue(tx, route_.queue);
}

void MoveSink::start(Source& source) {
  connect(source);
  std::optional<std::int64_t> kept;
  {
    pg::Transaction tx(*target_, pg::Mode::autocommit);
    kept = kept_tick(tx);
  }
  auto queue = queue_position(source);
  if (!kept || !queue || queue->last_tick == *kept || queue->next_tick == kept) return;
  throw Error(keeper() + " has tick " + std::to_string(*kept) + ", but queue '" + source.reader().queue +
              "' has consumer '" + name_ + "' at tick " + std::to_string(queue->last_tick) +
              "; --rewind moves the queue to the target's tick, --reset goes on where the queue stands");
}

std::optional<std::int64_t> MoveSink::kept_tick(pg::Transaction& tx) const {
  return tx.value<std::optional<std::int64_t>>("select pgq_ext.get_last_tick($1)", name_);
}

Step MoveSink::step(pg::Transaction& tx, const pgq::Batch& batch) const {
  auto kept = kept_tick(tx);
  Step step = step_of(batch, kept, keeper());
  const std::string& time = step == Step::skip ? batch.tick_time : batch.prev_tick_time;
  if (kept && mark_.tick(tx) == kept && !mark_.fits(tx, *kept, time))
    throw Error(keeper() + " has tick " + std::to_string(*kept) + " of '" + name_ +
                "' from another queue or database: whoever moves events to the same database needs a --consumer name "
                "of its own; --reset, where that other one is gone");
  return step;
}

bool MoveSink::wanted(Source&, const pgq::Batch& batch) {
  pg::Transaction tx(*target_, pg::Mode::autocommit);
  return step(tx, batch) == Step::apply;
}

std::string MoveSink::queue_of(const EventStream& events, const pgq::Event& e) const {
  std::string value;
  if (!pgq::unescape_copy(events.raw(static_cast<EventStream::Column>(route_.column)), value) || value.empty())
    throw Error("event " + std::to_string(e.id) + " has no " + route_.field + ", which names its queue");
  return route_.prefix + value;
}

void MoveSink::check_queue(pg::Transaction& tx, const std::string& queue) {
  if (queue == source_)
    throw Error("[" + target_->label() + "] queue '" + queue + "' is the one that is read: its events would come back");
  if (queue_exists(tx, queue)) return;
  std::string where = "[" + target_->label() + "] queue '" + queue + "' does not exist; ";
  if (!route_.queue.empty()) throw Error(where + "create it with: skytools queue create " + queue);
  if (!route_.create_queues)
    throw Error(where + "--create-queues makes missing ones, or: skytools queue create " + queue);
  tx.exec("select pgq.create_queue($1)", queue);
  log::info("queue created", {{"queue", queue}});
}

void MoveSink::process(Work& work) {
  pg::Transaction tx(*target_);
  // Once more inside the transaction: two movers of the same name must not both apply it.
  mark_.lock(tx);
  if (step(tx, work.batch) == Step::skip)
    throw Error("batch " + std::to_string(work.batch.id) + " was applied by somebody else; does another '" + name_ +
                "' run?");
  Writers writers(tx);
  Clock::time_point alive_due{};
  while (const pgq::Event* e = work.events.next()) {
    if (auto now = Clock::now(); now >= alive_due) work.around.alive(), alive_due = now + kSignOfLife;
    std::string queue = route_.queue.empty() ? queue_of(work.events, *e) : route_.queue;
    if (!writers.knows(queue)) check_queue(tx, queue);
    writers.add(writers.of(queue), work.events);
    work.events.drop_raw();
    SKYTOOLS_FAILPOINT("consumer.event");
    if (stop_.cancelled()) throw Stopped();
  }
  writers.flush();
  if (!writers.empty()) wake_ticker(tx);
  tx.exec("select pgq_ext.set_last_tick($1, $2)", name_, work.batch.tick);
  mark_.remember(tx, work.batch);
  SKYTOOLS_FAILPOINT("consumer.before_target_commit");
  tx.commit();
  SKYTOOLS_FAILPOINT("consumer.after_target_commit");
}

void MoveSink::rewind(Source& source) {
  connect(source);
  std::optional<std::int64_t> kept;
  {
    pg::Transaction tx(*target_, pg::Mode::autocommit);
    kept = kept_tick(tx);
  }
  if (!kept) throw Error(keeper() + " has no tick of '" + name_ + "' to rewind to");
  move_to(source, *kept, keeper());
  log::info("the queue was moved to the target's tick", {{"consumer", name_}, {"tick", *kept}});
}

std::optional<std::int64_t> MoveSink::reset(Source& source) {
  connect(source);
  pg::Transaction tx(*target_);
  auto kept = kept_tick(tx);
  tx.exec("select pgq_ext.set_last_tick($1, null)", name_);
  mark_.forget(tx);
  tx.commit();
  return kept;
}

}  // namespace skytools::consumer
