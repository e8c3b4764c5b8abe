#include "core/cascade/takeover.h"

#include "core/cascade/change_provider.h"

namespace skytools::cascade {

void take_branch_over(Net& net, Steps& steps, const Hooks& hooks, const std::string& old, bool all, bool force) {
  const std::string& here = net.local_name();
  auto move = [&](const std::string& node, const std::string& to) {
    change_provider(net, steps, hooks, {.node = node, .to = to, .consumer = {}, .force = force});
  };
  Peer& branch = net.peer(old);
  Peer& local = net.peer(here);
  if (local.is(NodeType::leaf)) throw Refused("node " + here + " is a leaf and cannot feed others");
  // Taking over from one's own provider: out from under it first, unless that is done already.
  bool below = local.info->provider_node == old;
  if (all)
    for (Peer* peer : net.live())
      if (peer != &local && peer != &branch && !peer->is(NodeType::root) && peer->info->provider_node == old)
        move(peer->name, here);
  if (below) move(here, branch.info->provider_node);
  move(old, here);
}

}  // namespace skytools::cascade
