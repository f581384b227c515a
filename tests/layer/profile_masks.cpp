// Duty: a device that has no more than a profile says: limits, features, extensions, subgroups, formats,
// timestamps, memory types.
// In disguise it is no software driver that Fovea knows either, so that what is chosen for
// those is not chosen here.
#include "layer/profile.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace fovea::layer {
namespace {

struct Chosen {
  std::mutex mutex;
  std::optional<DeviceProfile> profile;
  bool disguised = false;
};

Chosen &chosen() {
  static Chosen &all = *new Chosen; // outlives the application's own statics
  return all;
}

std::optional<DeviceProfile> profile() {
  static const bool read = [] {
    const char *name = environment("FOVEA_LAYER_PROFILE");
    return !*name || set_profile(name, false);
  }();
  (void)read;
  const std::lock_guard lock(chosen().mutex);
  return chosen().profile;
}

const InstanceFunctions &below(VkPhysicalDevice physical) { return instance_of(physical).below[kProfile]; }

// Those that Fovea uses, each with what a profile calls it.
struct Extension {
  const char *name;
  bool (*offered)(const Limits &);
};
constexpr Extension kExtensions[] = {
    {VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME, [](const Limits &) { return true; }},
    {VK_EXT_MEMORY_BUDGET_EXTENSION_NAME, [](const Limits &) { return true; }},
    {VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,
     [](const Limits &l) { return l.caps.shader_f16 || l.caps.shader_int8; }},
    {VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME,
     [](const Limits &l) { return l.caps.integer_dot_product; }},
    // It also says how wide subgroups may be.
    {VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME,
     [](const Limits &l) { return l.caps.subgroup_size_control || l.profile.find("min_subgroup_size"); }},
    {VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME, [](const Limits &l) { return l.caps.host_pointer_import; }},
};

std::vector<VkExtensionProperties> real_extensions(VkPhysicalDevice physical) {
  uint32_t count = 0;
  below(physical).EnumerateDeviceExtensionProperties(physical, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> all(count);
  below(physical).EnumerateDeviceExtensionProperties(physical, nullptr, &count, all.data());
  all.resize(count);
  return all;
}

/// A chain of structures for a query, of those whose extension is there.
template <class Head> class Query {
public:
  Query(VkStructureType type, const std::set<std::string> &extensions)
      : head(vk::structure<Head>(type)), extensions_(extensions) {}
  template <class T> void add(T &structure, VkStructureType type, const char *extension = nullptr) {
    structure.sType = type;
    if (extension && !extensions_.contains(extension)) return;
    structure.pNext = head.pNext;
    head.pNext = &structure;
  }
  Head head;

private:
  const std::set<std::string> &extensions_;
};

void fill_features(VkPhysicalDevice physical, DeviceCaps &caps, const std::set<std::string> &extensions) {
  Query<VkPhysicalDeviceFeatures2> query(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, extensions);
  VkPhysicalDevice16BitStorageFeatures storage{};
  VkPhysicalDeviceShaderFloat16Int8Features arithmetic{};
  VkPhysicalDeviceShaderIntegerDotProductFeatures dot{};
  VkPhysicalDeviceSubgroupSizeControlFeatures control{};
  query.add(storage, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  query.add(arithmetic, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
            VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
  query.add(dot, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES,
            VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
  query.add(control, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
            VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
  below(physical).GetPhysicalDeviceFeatures2(physical, &query.head);
  caps.storage_16bit = storage.storageBuffer16BitAccess;
  caps.shader_f16 = arithmetic.shaderFloat16;
  caps.shader_int8 = arithmetic.shaderInt8;
  caps.integer_dot_product = dot.shaderIntegerDotProduct;
  caps.subgroup_size_control = control.subgroupSizeControl;
  caps.host_pointer_import = extensions.contains(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
}

void fill_limits(VkPhysicalDevice physical, Limits &out, const std::set<std::string> &extensions) {
  Query<VkPhysicalDeviceProperties2> query(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, extensions);
  VkPhysicalDeviceSubgroupProperties subgroup{};
  VkPhysicalDeviceMaintenance3Properties maintenance{};
  VkPhysicalDeviceSubgroupSizeControlProperties control{};
  query.add(subgroup, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES);
  query.add(maintenance, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES);
  query.add(control, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES,
            VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
  below(physical).GetPhysicalDeviceProperties2(physical, &query.head);
  const VkPhysicalDeviceLimits &l = query.head.properties.limits;
  DeviceCaps &caps = out.caps;
  caps.max_storage_buffer_range = l.maxStorageBufferRange;
  caps.storage_offset_alignment = l.minStorageBufferOffsetAlignment;
  caps.uniform_offset_alignment = l.minUniformBufferOffsetAlignment;
  caps.texel_offset_alignment = l.minTexelBufferOffsetAlignment;
  caps.non_coherent_atom_size = l.nonCoherentAtomSize;
  caps.max_allocation_bytes = maintenance.maxMemoryAllocationSize;
  caps.max_storage_buffers = l.maxPerStageDescriptorStorageBuffers;
  caps.max_push_constant_bytes = l.maxPushConstantsSize;
  caps.max_workgroup_invocations = l.maxComputeWorkGroupInvocations;
  std::copy_n(l.maxComputeWorkGroupSize, 3, caps.max_workgroup_size.begin());
  std::copy_n(l.maxComputeWorkGroupCount, 3, caps.max_workgroup_count.begin());
  caps.max_shared_memory_bytes = l.maxComputeSharedMemorySize;
  caps.max_texel_buffer_elements = l.maxTexelBufferElements;
  caps.timestamp_period_ns = l.timestampPeriod;
  out.subgroup_operations = subgroup.supportedOperations;
  if (!(control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT)) caps.subgroup_size_control = false;
  if (!(subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT)) return;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = subgroup.subgroupSize;
  caps.subgroup_arithmetic = subgroup.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;
  caps.subgroup_shuffle = subgroup.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
  caps.subgroup_ballot = subgroup.supportedOperations & VK_SUBGROUP_FEATURE_BALLOT_BIT;
  if (!control.minSubgroupSize) return;
  caps.min_subgroup_size = control.minSubgroupSize;
  caps.max_subgroup_size = control.maxSubgroupSize;
}

VkSubgroupFeatureFlags operations(const Limits &l) {
  VkSubgroupFeatureFlags out = l.caps.subgroup_size ? l.subgroup_operations : 0;
  if (!l.caps.subgroup_arithmetic)
    out &= ~VkSubgroupFeatureFlags(VK_SUBGROUP_FEATURE_ARITHMETIC_BIT | VK_SUBGROUP_FEATURE_CLUSTERED_BIT);
  if (!l.caps.subgroup_shuffle)
    out &= ~VkSubgroupFeatureFlags(VK_SUBGROUP_FEATURE_SHUFFLE_BIT |
                                   VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT | VK_SUBGROUP_FEATURE_QUAD_BIT);
  if (!l.caps.subgroup_ballot)
    out &= ~VkSubgroupFeatureFlags(VK_SUBGROUP_FEATURE_BALLOT_BIT | VK_SUBGROUP_FEATURE_VOTE_BIT);
  return out;
}

/// Without unified memory, what is both the device's and mapped becomes two types, and a heap of the host's.
void fill_memory(VkPhysicalDevice physical, Limits &out) {
  auto real =
      vk::structure<VkPhysicalDeviceMemoryProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
  below(physical).GetPhysicalDeviceMemoryProperties2(physical, &real);
  VkPhysicalDeviceMemoryProperties &m = out.memory = real.memoryProperties;
  for (uint32_t i = 0; i < m.memoryTypeCount; ++i) out.real_types.push_back(i);
  if (const auto *most = out.profile.find("device_memory_bytes"))
    for (VkMemoryHeap &heap : std::span(m.memoryHeaps, m.memoryHeapCount))
      heap.size = std::min<VkDeviceSize>(heap.size, most->numbers[0]);
  const auto *unified = out.profile.find("unified_memory");
  if (!unified || unified->numbers[0]) return;
  constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                  kVisible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  for (uint32_t i = 0, n = m.memoryTypeCount; i < n; ++i) {
    VkMemoryType &type = m.memoryTypes[i];
    if ((type.propertyFlags & (kLocal | kVisible)) != (kLocal | kVisible)) continue;
    if (m.memoryTypeCount == VK_MAX_MEMORY_TYPES || m.memoryHeapCount == VK_MAX_MEMORY_HEAPS) continue;
    const uint32_t heap = m.memoryHeapCount++;
    m.memoryHeaps[heap] = {m.memoryHeaps[type.heapIndex].size, 0};
    m.memoryTypes[m.memoryTypeCount++] = {type.propertyFlags & ~kLocal, heap};
    out.real_types.push_back(i);
    type.propertyFlags = kLocal;
  }
}

template <class T> void at_most(T &value, uint64_t limit) { value = T(std::min<uint64_t>(value, limit)); }

void mask(const Limits &l, VkPhysicalDeviceProperties &out) {
  const DeviceCaps &caps = l.caps;
  if (l.disguised) out.deviceType = VK_PHYSICAL_DEVICE_TYPE_OTHER;
  VkPhysicalDeviceLimits &to = out.limits;
  at_most(to.maxStorageBufferRange, caps.max_storage_buffer_range);
  at_most(to.maxUniformBufferRange, kLeast.uniform_range);
  to.minStorageBufferOffsetAlignment = caps.storage_offset_alignment;
  to.minUniformBufferOffsetAlignment = caps.uniform_offset_alignment;
  to.minTexelBufferOffsetAlignment = caps.texel_offset_alignment;
  to.nonCoherentAtomSize = caps.non_coherent_atom_size;
  at_most(to.maxMemoryAllocationCount, kLeast.allocations);
  at_most(to.maxBoundDescriptorSets, kLeast.sets);
  at_most(to.maxPerStageDescriptorStorageBuffers, caps.max_storage_buffers);
  at_most(to.maxPerStageDescriptorUniformBuffers, kLeast.stage_uniform_buffers);
  at_most(to.maxPerStageDescriptorSampledImages, kLeast.stage_texel_buffers);
  at_most(to.maxPerStageDescriptorStorageImages, kLeast.stage_storage_texels);
  at_most(to.maxPerStageResources, kLeast.stage_all);
  at_most(to.maxDescriptorSetStorageBuffers, kLeast.set_storage_buffers);
  at_most(to.maxDescriptorSetUniformBuffers, kLeast.set_uniform_buffers);
  at_most(to.maxPushConstantsSize, caps.max_push_constant_bytes);
  at_most(to.maxComputeWorkGroupInvocations, caps.max_workgroup_invocations);
  for (size_t i = 0; i < 3; ++i) {
    at_most(to.maxComputeWorkGroupSize[i], caps.max_workgroup_size[i]);
    at_most(to.maxComputeWorkGroupCount[i], caps.max_workgroup_count[i]);
  }
  at_most(to.maxComputeSharedMemorySize, caps.max_shared_memory_bytes);
  at_most(to.maxTexelBufferElements, caps.max_texel_buffer_elements);
  if (caps.timestamp_period_ns == 0) to.timestampComputeAndGraphics = VK_FALSE;
}

void get_properties(VkPhysicalDevice physical, VkPhysicalDeviceProperties *out) {
  below(physical).GetPhysicalDeviceProperties(physical, out);
  if (const auto limits = limits_of(physical)) mask(*limits, *out);
}

void get_properties2(VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *out) {
  below(physical).GetPhysicalDeviceProperties2(physical, out);
  const auto limits = limits_of(physical);
  if (!limits) return;
  mask(*limits, out->properties);
  const DeviceCaps &caps = limits->caps;
  for (auto *at = static_cast<VkBaseOutStructure *>(out->pNext); at; at = at->pNext) {
    void *const any = at;
    if (at->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES) {
      auto &p = *static_cast<VkPhysicalDeviceSubgroupProperties *>(any);
      p.supportedOperations = limits->subgroup_operations;
      if (!caps.subgroup_size) p.supportedStages = 0;
    } else if (at->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES) {
      static_cast<VkPhysicalDeviceMaintenance3Properties *>(any)->maxMemoryAllocationSize =
          caps.max_allocation_bytes;
    } else if (at->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES) {
      if (limits->disguised) static_cast<VkPhysicalDeviceDriverProperties *>(any)->driverID = VkDriverId(0);
    } else if (at->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES) {
      auto &p = *static_cast<VkPhysicalDeviceSubgroupSizeControlProperties *>(any);
      p.minSubgroupSize = caps.min_subgroup_size;
      p.maxSubgroupSize = caps.max_subgroup_size;
      if (!caps.subgroup_size_control) p.requiredSubgroupSizeStages = 0;
    }
  }
}

void mask(const Limits &l, VkPhysicalDeviceFeatures &features) {
  const VkBool32 robust = features.robustBufferAccess;
  features = {};
  features.robustBufferAccess = robust && l.has_feature("robustBufferAccess");
}

void get_features2(VkPhysicalDevice physical, VkPhysicalDeviceFeatures2 *out) {
  below(physical).GetPhysicalDeviceFeatures2(physical, out);
  const auto limits = limits_of(physical);
  if (!limits) return;
  mask(*limits, out->features);
  for (auto *at = static_cast<VkBaseOutStructure *>(out->pNext); at; at = at->pNext)
    if (const FeatureStructure *known = find_features(at->sType))
      for (size_t i = 0; i < known->names.size(); ++i)
        features_in(at)[i] = features_in(at)[i] && limits->has_feature(known->names[i]);
}

void get_memory2(VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties2 *out) {
  below(physical).GetPhysicalDeviceMemoryProperties2(physical, out);
  const auto limits = limits_of(physical);
  if (!limits) return;
  const uint32_t n_real = out->memoryProperties.memoryHeapCount;
  out->memoryProperties = limits->memory;
  for (auto *at = static_cast<VkBaseOutStructure *>(out->pNext); at; at = at->pNext)
    if (at->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT) {
      void *const any = at;
      auto &budget = *static_cast<VkPhysicalDeviceMemoryBudgetPropertiesEXT *>(any);
      for (uint32_t i = n_real; i < limits->memory.memoryHeapCount; ++i)
        budget.heapBudget[i] = limits->memory.memoryHeaps[i].size;
    }
}

void get_families(VkPhysicalDevice physical, uint32_t *count, VkQueueFamilyProperties *out) {
  below(physical).GetPhysicalDeviceQueueFamilyProperties(physical, count, out);
  const auto limits = out ? limits_of(physical) : std::nullopt;
  if (!limits || limits->caps.timestamp_period_ns != 0) return;
  for (VkQueueFamilyProperties &family : std::span(out, *count)) family.timestampValidBits = 0;
}

VkResult list_extensions(VkPhysicalDevice physical, const char *layer, uint32_t *count,
                         VkExtensionProperties *out) {
  const auto limits = layer ? std::nullopt : limits_of(physical);
  if (!limits) return below(physical).EnumerateDeviceExtensionProperties(physical, layer, count, out);
  std::vector<VkExtensionProperties> all = real_extensions(physical);
  std::erase_if(all, [&](const auto &e) { return !limits->extensions.contains(e.extensionName); });
  if (!out) {
    *count = uint32_t(all.size());
    return VK_SUCCESS;
  }
  const bool fits = *count >= all.size();
  *count = uint32_t(std::min<size_t>(*count, all.size()));
  std::copy_n(all.begin(), *count, out);
  return fits ? VK_SUCCESS : VK_INCOMPLETE;
}

void get_features(VkPhysicalDevice physical, VkPhysicalDeviceFeatures *out) {
  auto features = vk::structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  instance_of(physical).table.GetPhysicalDeviceFeatures2(physical, &features);
  *out = features.features;
}

void get_memory(VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties *out) {
  auto properties =
      vk::structure<VkPhysicalDeviceMemoryProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
  instance_of(physical).table.GetPhysicalDeviceMemoryProperties2(physical, &properties);
  *out = properties.memoryProperties;
}

void mask(VkFormat format, VkFormatProperties &out) {
  const bool offered = bytes_of_texel(format) != 0;
  out.bufferFeatures &= offered ? VK_FORMAT_FEATURE_UNIFORM_TEXEL_BUFFER_BIT : 0;
}

void get_format(VkPhysicalDevice physical, VkFormat format, VkFormatProperties *out) {
  instance_of(physical).get_format(physical, format, out);
  if (profile()) mask(format, *out);
}

void get_format2(VkPhysicalDevice physical, VkFormat format, VkFormatProperties2 *out) {
  instance_of(physical).get_format2(physical, format, out);
  if (profile()) mask(format, out->formatProperties);
}

} // namespace

bool Limits::has_feature(std::string_view name) const {
  if (name == "storageBuffer16BitAccess") return caps.storage_16bit;
  if (name == "shaderFloat16") return caps.shader_f16;
  if (name == "shaderInt8") return caps.shader_int8;
  if (name == "shaderIntegerDotProduct") return caps.integer_dot_product;
  if (name == "subgroupSizeControl" || name == "computeFullSubgroups") return caps.subgroup_size_control;
  return name == "robustBufferAccess"; // which every device has
}

std::optional<Limits> limits_of(VkPhysicalDevice physical) {
  const auto wanted = profile();
  if (!wanted) return {};
  VkPhysicalDeviceProperties properties{};
  below(physical).GetPhysicalDeviceProperties(physical, &properties);
  if (properties.apiVersion < VK_API_VERSION_1_1) return {};
  std::set<std::string> extensions;
  for (const VkExtensionProperties &e : real_extensions(physical)) extensions.insert(e.extensionName);
  Limits out;
  out.profile = *wanted;
  {
    const std::lock_guard lock(chosen().mutex);
    out.disguised = chosen().disguised;
  }
  fill_features(physical, out.caps, extensions);
  fill_limits(physical, out, extensions);
  clamp(out.caps, *wanted);
  out.subgroup_operations = operations(out);
  fill_memory(physical, out);
  for (const Extension &e : kExtensions)
    if (extensions.contains(e.name) && e.offered(out)) out.extensions.insert(e.name);
  return out;
}

bool set_profile(const char *name_or_path, bool disguised) {
  std::optional<DeviceProfile> found;
  try {
    if (*name_or_path) found = load_profile(name_or_path);
  } catch (const Error &e) {
    report(concat("profile: ", e.what()));
    return false;
  }
  const std::lock_guard lock(chosen().mutex);
  chosen().profile = std::move(found);
  chosen().disguised = disguised;
  return true;
}

PFN_vkVoidFunction profile_function(std::string_view name) {
  const auto plain = [](auto function) { return reinterpret_cast<PFN_vkVoidFunction>(function); };
  if (name == "vkGetPhysicalDeviceFeatures") return plain(get_features);
  if (name == "vkGetPhysicalDeviceMemoryProperties") return plain(get_memory);
  if (name == "vkGetPhysicalDeviceFormatProperties") return plain(get_format);
  if (name == "vkGetPhysicalDeviceFormatProperties2") return plain(get_format2);
  return nullptr;
}

void attach_profile(InstanceFunctions &table) {
  table.GetPhysicalDeviceProperties = get_properties;
  table.GetPhysicalDeviceProperties2 = get_properties2;
  table.GetPhysicalDeviceFeatures2 = get_features2;
  table.GetPhysicalDeviceMemoryProperties2 = get_memory2;
  table.GetPhysicalDeviceQueueFamilyProperties = get_families;
  table.EnumerateDeviceExtensionProperties = list_extensions;
  attach_profile_checks(table);
}

} // namespace fovea::layer
