// The layer's own: its instances and devices, and for each duty the functions beneath it.
//
// A duty is a file that replaces some functions of a table, and calls those beneath it. Order, from Fovea to
// the driver: Duty below. Thread-safety: all functions; instances and devices live from their creation to
// their destruction. Nothing throws into the application.
#pragma once

#include "base/error.h"
#include "vk/functions.h"

#include <array>
#include <memory>
#include <mutex>
#include <optional>

namespace fovea::layer {

using vk::DeviceFunctions;
using vk::InstanceFunctions;

enum Duty : size_t {
  kCalls,
  kObjects,
  kProfile,
  kHazards,
  kBindings,
  kFences,
  kCacheData,
  kMemory,
  kModules,
  kWork,
  kDuties
};

struct Enforced; // profile_checks.cpp

struct Instance {
  VkInstance handle = VK_NULL_HANDLE;
  PFN_vkGetInstanceProcAddr next_proc = nullptr;
  PFN_vkGetPhysicalDeviceFormatProperties get_format = nullptr; // the next layer's, or the driver's
  PFN_vkGetPhysicalDeviceFormatProperties2 get_format2 = nullptr;
  InstanceFunctions table; // what the application calls
  std::array<InstanceFunctions, kDuties> below;
};

struct Device {
  VkDevice handle = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  PFN_vkGetDeviceProcAddr next_proc = nullptr;
  DeviceFunctions table;
  std::array<DeviceFunctions, kDuties> below;
  std::shared_ptr<Enforced> enforced; // null: no profile
  std::mutex submitting;              // guards `lost`, and is held around submits
  bool lost = false;                  // by a call that was made to fail so: it takes no further work
};

/// Of any dispatchable handle.
Instance &instance_of(VkInstance handle);
Instance &instance_of(VkPhysicalDevice handle);
Device &device_of(VkDevice handle);
Device &device_of(VkQueue handle);
Device &device_of(VkCommandBuffer handle);

/// A violation: one line.
void report(const std::string &text);

// calls.cpp: counts every function, and fails the call that was armed.
void attach_calls(InstanceFunctions &table);
void attach_calls(DeviceFunctions &table);
/// Of vkCreateInstance, which belongs to no table: the result to give in place of the call.
std::optional<VkResult> enter_create_instance();

// objects.cpp: what was created and not destroyed.
void attach_objects(InstanceFunctions &table);
void attach_objects(DeviceFunctions &table);
void instance_created(VkInstance handle);

// Limits of another device, and what goes beyond them.
void attach_profile(InstanceFunctions &table);
void attach_profile(Device &device);

void attach_hazards(DeviceFunctions &table);
void attach_bindings(DeviceFunctions &table);
void attach_fences(DeviceFunctions &table);
void attach_memory(InstanceFunctions &table);
void attach_memory(DeviceFunctions &table);
void attach_cache_data(DeviceFunctions &table);
void attach_modules(DeviceFunctions &table);
void attach_work(DeviceFunctions &table);

// What each file does for reset(): nothing armed.
void reset_calls();
void reset_profile();
void reset_hazards();
void reset_fences();
void reset_cache_data();
void reset_memory();
void reset_modules();
void reset_work();

/// Environment variable, "" where unset.
const char *environment(const char *name);

} // namespace fovea::layer
