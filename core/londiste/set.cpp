#include "core/londiste/registration.h"

namespace skytools::londiste {

Set::Set(const std::string& db, std::string queue, const StopToken& stop) : queue_(std::move(queue)), stop_(stop) {
  local_ = std::make_unique<pg::Connection>("db", db, pg::ConnectOptions{.stop = &stop_});
  pg::Transaction tx(*local_, pg::Mode::autocommit);
  auto info = cascade::node_info(tx, queue_);
  if (!info)
    throw Error("[" + local_->label() + "] there is no node of queue " + queue_ +
                "; create one with: skytools londiste create-root, create-branch or create-leaf");
  info_ = *info;
}

pg::Connection& Set::provider() {
  if (!provider_)
    provider_ = std::make_unique<pg::Connection>("provider " + info_.provider_node, info_.provider_location,
                                                 pg::ConnectOptions{.stop = &stop_});
  return *provider_;
}

}  // namespace skytools::londiste
