#include "core/cascade/forward.h"

namespace skytools::cascade {

void Forward::start(WorkerContext& context) {
  pg::Transaction tx(context.target, pg::Mode::autocommit);
  if (!tx.value<bool>("select to_regclass('londiste.table_info') is not null")) return;
  if (tx.value<bool>("select exists (select 1 from londiste.table_info where queue_name = $1 and local)",
                     context.settings.queue))
    throw Refused("[" + context.target.label() + "] tables of queue " + context.settings.queue +
                  " are replicated here; run: skytools londiste worker");
}

}  // namespace skytools::cascade
