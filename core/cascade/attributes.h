#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/base/urlcode.h"
#include "core/cascade/steps.h"

namespace skytools::cascade {

/// What may be set on a node: `sync_watermark`, names of nodes joined by commas whose watermark a branch waits for.
inline constexpr const char* kSyncWatermark = "sync_watermark";

/// Sets attributes of a node, an empty value takes one away; others stay. After net.survey().
/// @return false: nothing to do  @throws UsageError  an unknown key  @throws Error  a value that cannot be
bool set_attributes(Net& net, Steps& steps, const std::string& node, const std::vector<Field>& wanted);

}  // namespace skytools::cascade
