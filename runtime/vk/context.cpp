#include "vk/context.h"

#include "base/log.h"

#include <algorithm>

namespace fovea::vk {
namespace {

/// The optional features to enable: feature structures and the extensions they come from, for
/// VkDeviceCreateInfo.
struct Enabled {
  VkPhysicalDeviceFeatures2 features =
      structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  VkPhysicalDevice16BitStorageFeatures storage16 = structure<VkPhysicalDevice16BitStorageFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  VkPhysicalDeviceShaderFloat16Int8Features f16_int8 = structure<VkPhysicalDeviceShaderFloat16Int8Features>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  VkPhysicalDeviceShaderIntegerDotProductFeatures dot =
      structure<VkPhysicalDeviceShaderIntegerDotProductFeatures>(
          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroups =
      structure<VkPhysicalDeviceSubgroupSizeControlFeatures>(
          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
  std::vector<const char *> extensions;

  template <class T> void chain(T &structure, const char *extension) {
    structure.pNext = features.pNext;
    features.pNext = &structure;
    if (extension) extensions.push_back(extension);
  }

  explicit Enabled(const Context &context) {
    const DeviceCaps &caps = context.caps;
    storage16.storageBuffer16BitAccess = caps.storage_16bit;
    if (caps.storage_16bit) chain(storage16, nullptr);
    f16_int8.shaderFloat16 = caps.shader_f16;
    f16_int8.shaderInt8 = caps.shader_int8;
    if (caps.shader_f16 || caps.shader_int8) chain(f16_int8, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
    dot.shaderIntegerDotProduct = caps.integer_dot_product;
    if (caps.integer_dot_product) chain(dot, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
    subgroups.subgroupSizeControl = VK_TRUE;
    subgroups.computeFullSubgroups = context.physical.has_full_subgroups;
    if (caps.subgroup_size_control) chain(subgroups, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
    if (caps.host_pointer_import) extensions.push_back(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
  }
};

} // namespace

Context::Context(std::unique_ptr<Instance> the_instance, PhysicalDevice the_physical, DeviceCaps the_caps,
                 const Features &wanted)
    : instance(std::move(the_instance)), physical(std::move(the_physical)), caps(std::move(the_caps)) {
  caps.shader_f16 = caps.shader_f16 && wanted.f16;
  caps.shader_int8 = caps.shader_int8 && wanted.int8;
  caps.storage_16bit = caps.storage_16bit && wanted.storage_16bit;
  caps.integer_dot_product = caps.integer_dot_product && wanted.integer_dot_product;
  const Enabled enabled(*this);

  const float priority = 1;
  auto queue_info = structure<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
  queue_info.queueFamilyIndex = physical.queue_family;
  queue_info.queueCount = 1;
  queue_info.pQueuePriorities = &priority;
  auto info = structure<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  info.pNext = &enabled.features;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue_info;
  info.enabledExtensionCount = uint32_t(enabled.extensions.size());
  info.ppEnabledExtensionNames = enabled.extensions.data();
  check(instance->fn().CreateDevice(physical.handle, &info, nullptr, &device), device, "vkCreateDevice");
  fn.DestroyDevice =
      reinterpret_cast<PFN_vkDestroyDevice>(instance->fn().GetDeviceProcAddr(device, "vkDestroyDevice"));
  try {
    fn = load_device_functions(instance->fn(), device);
    fn.GetDeviceQueue(device, physical.queue_family, 0, &queue);
    if (!queue) fail_null("vkGetDeviceQueue");
  } catch (...) {
    if (fn.DestroyDevice) fn.DestroyDevice(device, nullptr);
    throw;
  }
}

Context::~Context() {
  if (may_destroy()) {
    fn.DestroyDevice(device, nullptr);
  } else {
    instance.release(); // work that hangs still runs on it: the process keeps both
  }
}

void Context::check(VkResult result, std::string_view what) {
  switch (result) {
  case VK_SUCCESS: return;
  case VK_ERROR_DEVICE_LOST:
    mark_lost(what);
    require_alive();
    return;
  case VK_ERROR_OUT_OF_HOST_MEMORY:
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
  case VK_ERROR_OUT_OF_POOL_MEMORY:
  case VK_ERROR_FRAGMENTATION: fail(ErrorCode::OutOfMemory, what, " on ", name(), ": ", result);
  default: fail(ErrorCode::Internal, what, " on ", name(), ": ", result);
  }
}

uint64_t Context::memory_limit_bytes() const {
  if (memory_is_forged()) return caps.device_memory_bytes;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < physical.memory.memoryHeapCount; ++i) bytes += physical.memory.memoryHeaps[i].size;
  return bytes;
}

void Context::require_memory(uint64_t bytes, std::string_view what) const {
  const uint64_t limit = memory_limit_bytes(), used = std::min(allocated_bytes.load(), limit);
  if (bytes > limit - used)
    fail(ErrorCode::OutOfMemory, what, ": ", bytes, " bytes of device memory needed, ", name(), " has ",
         limit - used, " of ", limit, " left");
}

void Context::fail_null(std::string_view what) const {
  fail(ErrorCode::Internal, what, " on ", name(), ": the driver reported success and gave nothing");
}

void Context::mark_lost(std::string_view why) {
  if (!lost_.exchange(true, std::memory_order_acq_rel))
    log(LogLevel::Error, name(), ": device lost (", why, ")");
}

void Context::require_alive() const {
  if (lost())
    fail(ErrorCode::DeviceLost, name(), " was lost; it takes no further work. Open the device again");
}

void Context::abandon(std::string_view why) {
  if (!abandoned_.exchange(true, std::memory_order_acq_rel))
    log(LogLevel::Error, name(), ": work never finished (", why, "); its memory is not given back");
  mark_lost(why);
}

} // namespace fovea::vk
