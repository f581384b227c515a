#include "vk/caps_query.h"

#include <algorithm>
#include <cstring>

namespace fovea::vk {
namespace {

DeviceType device_type(VkPhysicalDeviceType type) {
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return DeviceType::Discrete;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return DeviceType::Integrated;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return DeviceType::Virtual;
  case VK_PHYSICAL_DEVICE_TYPE_CPU: return DeviceType::Software;
  default: return DeviceType::Other;
  }
}

/// Appends structures to a pNext chain.
class Chain {
public:
  explicit Chain(void *head) : tail_(static_cast<VkBaseOutStructure *>(head)) {}
  template <class T> void add(T &structure) {
    tail_->pNext = reinterpret_cast<VkBaseOutStructure *>(&structure);
    tail_ = tail_->pNext;
  }

private:
  VkBaseOutStructure *tail_;
};

std::vector<std::string> device_extensions(const InstanceFunctions &fn, VkPhysicalDevice device) {
  uint32_t count = 0;
  if (fn.EnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkExtensionProperties> properties(count);
  fn.EnumerateDeviceExtensionProperties(device, nullptr, &count, properties.data());
  std::vector<std::string> names;
  for (uint32_t i = 0; i < std::min<size_t>(count, properties.size()); ++i)
    names.emplace_back(properties[i].extensionName);
  return names;
}

void fill_limits(const VkPhysicalDeviceLimits &limits, DeviceCaps &caps) {
  caps.max_storage_buffer_range = limits.maxStorageBufferRange;
  caps.storage_offset_alignment = limits.minStorageBufferOffsetAlignment;
  caps.uniform_offset_alignment = limits.minUniformBufferOffsetAlignment;
  caps.texel_offset_alignment = limits.minTexelBufferOffsetAlignment;
  caps.non_coherent_atom_size = std::max<uint64_t>(limits.nonCoherentAtomSize, 1);
  caps.max_storage_buffers = limits.maxPerStageDescriptorStorageBuffers;
  caps.max_push_constant_bytes = limits.maxPushConstantsSize;
  caps.max_workgroup_invocations = limits.maxComputeWorkGroupInvocations;
  std::copy_n(limits.maxComputeWorkGroupSize, 3, caps.max_workgroup_size.begin());
  std::copy_n(limits.maxComputeWorkGroupCount, 3, caps.max_workgroup_count.begin());
  caps.max_shared_memory_bytes = limits.maxComputeSharedMemorySize;
  caps.max_texel_buffer_elements = limits.maxTexelBufferElements;
}

/// The family with the fewest other duties: compute without graphics where there is one.
int choose_queue_family(const InstanceFunctions &fn, VkPhysicalDevice device, uint32_t &timestamp_bits) {
  uint32_t count = 0;
  fn.GetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  fn.GetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  int best = -1;
  for (uint32_t i = 0; i < count; ++i) {
    if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || families[i].queueCount == 0) continue;
    const bool graphics = families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT;
    if (best < 0 || (!graphics && (families[size_t(best)].queueFlags & VK_QUEUE_GRAPHICS_BIT))) best = int(i);
  }
  timestamp_bits = best < 0 ? 0 : families[size_t(best)].timestampValidBits;
  return best;
}

void fill_subgroups(const VkPhysicalDeviceSubgroupProperties &subgroup, DeviceCaps &caps) {
  constexpr uint32_t kIntel = 0x8086;
  if (!(subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) ||
      !(subgroup.supportedOperations & VK_SUBGROUP_FEATURE_BASIC_BIT))
    return;
  caps.subgroup_size = subgroup.subgroupSize;
  caps.subgroup_arithmetic = subgroup.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;
  caps.subgroup_shuffle = subgroup.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
  caps.subgroup_ballot = subgroup.supportedOperations & VK_SUBGROUP_FEATURE_BALLOT_BIT;
  caps.min_subgroup_size = caps.max_subgroup_size = caps.subgroup_size;
  if (caps.vendor_id == kIntel) { // its compiler picks 8, 16 or 32 per shader, whatever subgroupSize says
    caps.min_subgroup_size = std::min(8u, caps.subgroup_size);
    caps.max_subgroup_size = std::max(32u, caps.subgroup_size);
  }
}

void query_features(const InstanceFunctions &fn, PhysicalDevice &device) {
  DeviceCaps &caps = device.info.caps;
  auto features = structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  Chain chain(&features);
  auto storage16 = structure<VkPhysicalDevice16BitStorageFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  chain.add(storage16);
  auto f16_int8 = structure<VkPhysicalDeviceShaderFloat16Int8Features>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  if (device.has_extension(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME)) chain.add(f16_int8);
  auto dot = structure<VkPhysicalDeviceShaderIntegerDotProductFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
  if (device.has_extension(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)) chain.add(dot);
  auto control = structure<VkPhysicalDeviceSubgroupSizeControlFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
  if (device.has_extension(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)) chain.add(control);
  fn.GetPhysicalDeviceFeatures2(device.handle, &features);
  caps.storage_16bit = storage16.storageBuffer16BitAccess;
  caps.shader_f16 = f16_int8.shaderFloat16;
  caps.shader_int8 = f16_int8.shaderInt8;
  caps.integer_dot_product = dot.shaderIntegerDotProduct;
  device.has_subgroup_size_control = control.subgroupSizeControl;
  device.has_full_subgroups = control.computeFullSubgroups;
}

void query_properties(const InstanceFunctions &fn, PhysicalDevice &device) {
  DeviceCaps &caps = device.info.caps;
  auto properties = structure<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  Chain chain(&properties);
  auto subgroup =
      structure<VkPhysicalDeviceSubgroupProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES);
  chain.add(subgroup);
  auto maintenance3 = structure<VkPhysicalDeviceMaintenance3Properties>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES);
  chain.add(maintenance3);
  auto driver =
      structure<VkPhysicalDeviceDriverProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES);
  if (device.has_extension(VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME)) chain.add(driver);
  auto control = structure<VkPhysicalDeviceSubgroupSizeControlProperties>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES);
  if (device.has_extension(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)) chain.add(control);
  auto host = structure<VkPhysicalDeviceExternalMemoryHostPropertiesEXT>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT);
  if (device.has_extension(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)) chain.add(host);
  fn.GetPhysicalDeviceProperties2(device.handle, &properties);

  fill_limits(properties.properties.limits, caps);
  caps.driver_name = driver.driverName;
  caps.driver_info = driver.driverInfo;
  caps.driver_id = driver.driverID;
  if (maintenance3.maxMemoryAllocationSize) caps.max_allocation_bytes = maintenance3.maxMemoryAllocationSize;
  fill_subgroups(subgroup, caps);
  if (caps.subgroup_size && control.minSubgroupSize) { // also where a pipeline cannot ask for one of them
    caps.min_subgroup_size = control.minSubgroupSize;
    caps.max_subgroup_size = control.maxSubgroupSize;
    caps.subgroup_size_control = device.has_subgroup_size_control &&
                                 (control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT);
  }
  caps.host_pointer_import = host.minImportedHostPointerAlignment != 0;
  if (caps.host_pointer_import) caps.host_pointer_alignment = host.minImportedHostPointerAlignment;
  caps.timestamp_period_ns =
      device.timestamp_valid_bits ? double(properties.properties.limits.timestampPeriod) : 0;
}

/// Low for its kind: a watchdog that fires loses the device, a launch more costs microseconds.
void assume_speed(DeviceCaps &caps) {
  constexpr uint64_t kGiga = 1'000'000'000;
  switch (caps.type) {
  case DeviceType::Discrete: caps.flops_per_s = 400 * kGiga, caps.bytes_per_s = 40 * kGiga; return;
  case DeviceType::Integrated: caps.flops_per_s = 20 * kGiga, caps.bytes_per_s = 5 * kGiga; return;
  case DeviceType::Software:
    caps.flops_per_s = caps.driver_id == kLlvmpipeDriverId ? 60 * kGiga : 20 * kGiga;
    caps.bytes_per_s = 5 * kGiga;
    return;
  case DeviceType::Virtual:
  case DeviceType::Other: return; // the floor
  }
}

PhysicalDevice query(const InstanceFunctions &fn, VkPhysicalDevice handle, uint32_t index) {
  PhysicalDevice device;
  device.handle = handle;
  device.info.index = index;
  DeviceCaps &caps = device.info.caps;
  VkPhysicalDeviceProperties properties{};
  fn.GetPhysicalDeviceProperties(handle, &properties);
  caps.name = properties.deviceName;
  caps.type = device_type(properties.deviceType);
  caps.vendor_id = properties.vendorID;
  caps.device_id = properties.deviceID;
  caps.driver_version = properties.driverVersion;
  caps.api_version = properties.apiVersion;
  std::copy_n(properties.pipelineCacheUUID, VK_UUID_SIZE, caps.pipeline_cache_uuid.begin());

  const int family = choose_queue_family(fn, handle, device.timestamp_valid_bits);
  if (properties.apiVersion >= VK_API_VERSION_1_1) { // the 1.1 queries may not be asked of a 1.0 device
    device.extensions = device_extensions(fn, handle);
    device.has_memory_budget = device.has_extension(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    query_features(fn, device);
    query_properties(fn, device);
    auto memory =
        structure<VkPhysicalDeviceMemoryProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
    fn.GetPhysicalDeviceMemoryProperties2(handle, &memory);
    device.memory = memory.memoryProperties;
    fill_memory_caps(device.memory, caps);
    device.memory_bytes = caps.device_memory_bytes;
  } else {
    fill_limits(properties.limits, caps);
  }
  assume_speed(caps);
  device.info.rejected = family < 0 ? "it has no queue for compute" : rejection(caps);
  device.info.usable = device.info.rejected.empty();
  device.queue_family = uint32_t(std::max(family, 0));
  return device;
}

} // namespace

bool PhysicalDevice::has_extension(std::string_view name) const {
  return std::find(extensions.begin(), extensions.end(), name) != extensions.end();
}

void fill_memory_caps(const VkPhysicalDeviceMemoryProperties &memory, DeviceCaps &caps) {
  constexpr VkMemoryPropertyFlags kBoth =
      VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  uint32_t largest = UINT32_MAX;
  for (uint32_t i = 0; i < memory.memoryHeapCount; ++i) {
    if (!(memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)) continue;
    if (largest == UINT32_MAX || memory.memoryHeaps[i].size > memory.memoryHeaps[largest].size) largest = i;
  }
  caps.device_memory_bytes = largest == UINT32_MAX ? 0 : memory.memoryHeaps[largest].size;
  caps.unified_memory = false;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
    if ((memory.memoryTypes[i].propertyFlags & kBoth) == kBoth && memory.memoryTypes[i].heapIndex == largest)
      caps.unified_memory = true;
  // A discrete card with resizable BAR also passes: its heap is the card's, mapped. Still true: host writes
  // reach the memory that kernels read, and no copy is needed.
}

std::string rejection(const DeviceCaps &caps) {
  const DeviceCaps floor;
  const auto below = [](const char *what, uint64_t have, uint64_t need) {
    return concat(what, " is ", have, ", and kernels need ", need);
  };
  if (caps.api_version < VK_API_VERSION_1_1)
    return concat("it has Vulkan ", VK_API_VERSION_MAJOR(caps.api_version), ".",
                  VK_API_VERSION_MINOR(caps.api_version), ", and 1.1 is needed");
  if (caps.max_storage_buffers < floor.max_storage_buffers)
    return below("storage buffers per stage", caps.max_storage_buffers, floor.max_storage_buffers);
  if (caps.max_push_constant_bytes < floor.max_push_constant_bytes)
    return below("maxPushConstantsSize", caps.max_push_constant_bytes, floor.max_push_constant_bytes);
  if (caps.max_workgroup_invocations < floor.max_workgroup_invocations)
    return below("maxComputeWorkGroupInvocations", caps.max_workgroup_invocations,
                 floor.max_workgroup_invocations);
  if (caps.max_shared_memory_bytes < floor.max_shared_memory_bytes)
    return below("maxComputeSharedMemorySize", caps.max_shared_memory_bytes, floor.max_shared_memory_bytes);
  if (caps.max_storage_buffer_range < floor.max_storage_buffer_range)
    return below("maxStorageBufferRange", caps.max_storage_buffer_range, floor.max_storage_buffer_range);
  if (caps.storage_offset_alignment > floor.storage_offset_alignment)
    return concat("minStorageBufferOffsetAlignment is ", caps.storage_offset_alignment,
                  ", and files are aligned to ", floor.storage_offset_alignment);
  return {};
}

std::vector<PhysicalDevice> query_devices(const Instance &instance) {
  std::vector<PhysicalDevice> devices;
  for (VkPhysicalDevice handle : instance.physical_devices())
    devices.push_back(query(instance.fn(), handle, uint32_t(devices.size())));
  return devices;
}

} // namespace fovea::vk
