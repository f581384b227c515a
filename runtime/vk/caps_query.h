// Reads a physical device into DeviceCaps, and says whether Fovea can run on it.
// Thread-safety: pure functions of the driver's answers.
#pragma once

#include "base/device_caps.h"
#include "vk/instance.h"

namespace fovea::vk {

/// A physical device as the driver describes it.
struct DeviceInfo {
  uint32_t index = 0; // position in list_devices(), which selectors use
  DeviceCaps caps;    // features here are what the driver offers; an opened Device lists what it enabled
  bool usable = false;
  std::string rejected; // why not, in one line, when not usable
};

/// What opening the device needs beside its caps.
struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  DeviceInfo info;
  uint32_t queue_family = 0;
  uint32_t timestamp_valid_bits = 0; // of that family; 0: none
  VkPhysicalDeviceMemoryProperties memory{};
  uint64_t memory_bytes = 0; // as info.caps.device_memory_bytes before any adjustment
  std::vector<std::string> extensions;
  bool has_memory_budget = false;
  bool has_subgroup_size_control = false; // the feature, not only the extension
  bool has_full_subgroups = false;

  bool has_extension(std::string_view name) const;
};

std::vector<PhysicalDevice> query_devices(const Instance &instance);

/// Fills caps from the memory types: unified_memory and device_memory_bytes. Pure, for tests.
void fill_memory_caps(const VkPhysicalDeviceMemoryProperties &memory, DeviceCaps &caps);
/// The reason a device with these caps cannot run the baseline kernels; empty when it can. Pure, for tests.
std::string rejection(const DeviceCaps &caps);

} // namespace fovea::vk
