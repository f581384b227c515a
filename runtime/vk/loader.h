// Finds the Vulkan loader at run time and fills the function tables.
//
// Owns: nothing that is ever given back (the library stays open: drivers dislike being unloaded). Nothing
// happens before the first call. Thread-safety: all functions may be called from any thread. Throws: NoDevice
// when there is no loader, with what to install; Unsupported when a function is missing. Rejected: linking
// against libvulkan (no program would start on a machine without it), volk (one more dependency for sixty
// lines).
#pragma once

#include "base/error.h"
#include "vk/functions.h"

namespace fovea::vk {

struct Loader {
  PFN_vkGetInstanceProcAddr get_instance_proc = nullptr;
  GlobalFunctions fn;
};

/// Opens FOVEA_VULKAN_LIBRARY, else libvulkan.so.1, else libvulkan.so (Android).
Loader open_loader();
InstanceFunctions load_instance_functions(const Loader &loader, VkInstance instance);
DeviceFunctions load_device_functions(const InstanceFunctions &instance, VkDevice device);

/// "VK_ERROR_OUT_OF_DEVICE_MEMORY"; the number when unknown.
std::string to_string(VkResult result);

} // namespace fovea::vk

/// For concat(): VkResult is an alias of a global enum, so this is where argument-dependent lookup finds it.
inline std::string to_string(VkResult result) { return fovea::vk::to_string(result); }
