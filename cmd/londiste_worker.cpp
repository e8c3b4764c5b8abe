#include "cmd/cascade_worker.h"
#include "cmd/londiste_commands.h"
#include "core/londiste/options.h"

namespace skytools::cmd {

int londiste_worker(Context& context) {
  auto settings = londiste::read_worker_settings(context.settings);
  settings.queue = context.queue();
  settings.db = context.db_conninfo();
  londiste::Replay replay(londiste::read_replay_settings(context.settings));
  return run_cascaded(context, std::move(settings), replay, {"pgq", "pgq_node", "londiste"});
}

}  // namespace skytools::cmd
