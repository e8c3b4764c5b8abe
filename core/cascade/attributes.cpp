#include "core/cascade/attributes.h"

#include <algorithm>

#include "core/base/strings.h"

namespace skytools::cascade {

namespace {

/// An attribute that can be set, and who says whether a value will do.
struct Known {
  std::string_view key;
  void (*check)(Net& net, const Peer& node, const std::string& value);
};

void check_sync_watermark(Net& net, const Peer& node, const std::string& value) {
  if (!node.is(NodeType::branch))
    throw Error("node " + node.name + " is no branch: sync_watermark is for branches that replace each other");
  for (auto& name : split(value, ',')) {
    if (name == node.name) throw Error("node " + name + " need not wait for itself");
    net.peer(name);
  }
}

constexpr Known kKnown[] = {{kSyncWatermark, check_sync_watermark}};

const Known& known(const std::string& key) {
  std::vector<std::string> keys;
  for (auto& k : kKnown) {
    if (k.key == key) return k;
    keys.emplace_back(k.key);
  }
  throw UsageError("unknown attribute '" + key + "'; there are: " + join(keys, ", "));
}

}  // namespace

bool set_attributes(Net& net, Steps& steps, const std::string& node, const std::vector<Field>& wanted) {
  for (auto& field : wanted) known(field.name);
  Peer& peer = net.peer(node);
  if (!peer.info) throw Error("node " + node + " does not answer: " + peer.problem);
  auto attributes = decode_row(peer.info->attributes);
  for (auto& field : wanted) {
    std::string value = field.value.value_or("");
    std::erase_if(attributes, [&](const Field& f) { return f.name == field.name; });
    if (value.empty()) continue;
    known(field.name).check(net, peer, value);
    attributes.push_back({field.name, value});
  }
  std::string text = encode_row(attributes);
  if (text == encode_row(decode_row(peer.info->attributes))) return false;
  steps.take(
      node, "set the attributes of " + node,
      {{"pgq_node.set_node_attrs($1, $2)", {net.queue(), text.empty() ? pg::Param(std::nullopt) : pg::Param(text)}}});
  return true;
}

}  // namespace skytools::cascade
