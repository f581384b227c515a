// A device under a profile, and how a call is held against it. Any thread.
#pragma once

#include "layer/profile.h"

#include <map>

namespace fovea::layer {

/// Of a device that was created under a profile.
struct Enforced {
  Limits limits;
  std::set<std::string_view> features; // enabled
  std::mutex mutex;                    // guards what follows
  std::set<std::string> said;
  struct Memory {
    uint64_t bytes = 0, mapped_end = 0;
    bool visible = false;
  };
  std::map<VkDeviceMemory, Memory> memory;
  std::map<VkBuffer, uint64_t> buffers; // bytes
  std::map<VkDescriptorSetLayout, std::map<VkDescriptorType, uint64_t>> set_layouts;
  std::map<VkShaderModule, std::vector<uint32_t>> modules;
};

/// Of n_limit_checks().
void count_limit_check();

/// Once each.
template <class... Parts> void beyond(Enforced &device, const Parts &...parts) {
  const std::string text = concat("beyond ", device.limits.profile.name, ": ", parts...);
  {
    const std::lock_guard lock(device.mutex);
    if (!device.said.insert(text).second) return;
  }
  report(text);
}

template <class... Parts>
void at_most(Enforced &device, uint64_t value, uint64_t limit, const Parts &...what) {
  count_limit_check();
  if (value > limit) beyond(device, what..., ": ", value, "; the limit is ", limit);
}

template <class... Parts> void aligned(Enforced &device, uint64_t value, uint64_t to, const Parts &...what) {
  count_limit_check();
  if (to && value % to) beyond(device, what..., ": ", value, " is not a multiple of ", to);
}

template <class... Parts> void wanted(Enforced &device, bool there, const Parts &...what) {
  count_limit_check();
  if (!there) beyond(device, what...);
}

void attach_profile_memory(DeviceFunctions &table);

} // namespace fovea::layer
