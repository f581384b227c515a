// What commands touch, by what they name: buffers and views have memory behind them, descriptor sets name
// both, and pipelines read and write their bindings. Any thread.
#pragma once

#include "layer/timeline.h"

namespace fovea::layer {

/// Bytes of an allocation.
struct Range {
  VkDeviceMemory memory = VK_NULL_HANDLE;
  uint64_t begin = 0, end = 0;
};
Range range_of(VkBuffer buffer, uint64_t offset, uint64_t size);

/// What a dispatch does with the set bound: one access for reading and one for writing of each binding that
/// it uses.
std::vector<Access> dispatch_accesses(VkPipeline pipeline, VkDescriptorSet set);

} // namespace fovea::layer
