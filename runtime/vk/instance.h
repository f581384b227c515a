// Instance: a VkInstance, its validation messenger and its physical devices.
//
// Owns the VkInstance; destroyed after everything made from it. Thread-safety: constant after construction.
// Throws: NoDevice (no loader, no driver), Unsupported (validation asked for but its layer is not installed).
#pragma once

#include "vk/loader.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace fovea::vk {

/// What the Khronos validation layer checks: nothing; every call and synchronization; shaders on the GPU as
/// well.
enum class Validation { Off, On, Gpu };
/// From FOVEA_VALIDATION: unset, empty or "0" is Off, "1" is On, "gpu" is Gpu. Anything else is
/// InvalidArgument.
Validation validation_from_environment();
/// Validation errors (and synchronization hazards) reported to this process so far, over all instances. Each
/// one is logged as LogLevel::Error.
uint64_t validation_error_count();

class Instance {
public:
  explicit Instance(Validation validation);
  ~Instance();
  Instance(const Instance &) = delete;
  Instance &operator=(const Instance &) = delete;

  const InstanceFunctions &fn() const { return fn_; }
  const std::vector<VkPhysicalDevice> &physical_devices() const { return physical_devices_; }
  Validation validation() const { return validation_; }

private:
  Loader loader_;
  InstanceFunctions fn_;
  VkInstance handle_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  Validation validation_;
  std::vector<VkPhysicalDevice> physical_devices_;
};

} // namespace fovea::vk
