#include "core/consumer/local_sink.h"

#include "core/base/failpoint.h"
#include "core/log/log.h"

namespace skytools::consumer {

void LocalSink::start(Source& source) {
  // Each error begins a new session. What could not be remembered should not be done again and again.
  file_.require_writable();
  reconcile(source);
  inner_.start(source);
}

/// The file decides; where it has nothing to say the queue does.
void LocalSink::reconcile(Source& source) {
  auto kept = file_.read();
  auto queue = queue_position(source);
  if (!queue) {
    if (kept)
      move_to(source, *kept, keeper());
    else
      source.register_at(std::nullopt);
    log::info(kept ? "registered at the tick of the tracking file" : "registered at the newest tick",
              {{"consumer", source.reader().name}, {"tick", kept.value_or(queue_position(source)->last_tick)}});
    return;
  }
  log::Fields fields{{"consumer", source.reader().name}, {"queue_tick", queue->last_tick}};
  if (!kept) {
    file_.write(queue->last_tick);
    return log::info("no tracking file yet, it begins where the queue stands", fields);
  }
  fields.emplace_back("file_tick", *kept);
  if (*kept == queue->last_tick) return log::info("tracking file and queue agree", fields);
  // A batch that is open up to this very tick was worked off, and is only closed when it comes again.
  if (queue->next_tick == kept) return log::info("the open batch was worked off before", fields);
  log::warning(*kept > queue->last_tick ? "the queue is behind the tracking file, it is moved forward"
                                        : "the queue is ahead of the tracking file, it is rewound: events come again",
               fields);
  move_to(source, *kept, keeper());
}

bool LocalSink::wanted(Source& source, const pgq::Batch& batch) {
  return step_of(batch, file_.read(), keeper()) == Step::apply && inner_.wanted(source, batch);
}

void LocalSink::process(Work& work) {
  inner_.process(work);
  // The file cannot hold answers: with the file first, a crash before the batch is closed would lose them. This way it
  // repeats the batch.
  if (!work.answers.all_done()) {
    pg::Transaction tx(work.source.connection());
    work.finish(tx);
    tx.commit();
  }
  SKYTOOLS_FAILPOINT("consumer.before_file");
  file_.write(work.batch.tick);
  SKYTOOLS_FAILPOINT("consumer.after_file");
}

}  // namespace skytools::consumer
