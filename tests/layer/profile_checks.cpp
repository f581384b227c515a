// Duty: reports what is used beyond the profile (profile_masks.cpp), from the calls and the SPIR-V alone.
#include "layer/profile_enforced.h"
#include "layer/spirv_needs.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>

namespace fovea::layer {

namespace {

std::atomic<uint64_t> &n_checks() {
  static std::atomic<uint64_t> &count = *new std::atomic<uint64_t>(0);
  return count;
}

const DeviceFunctions &below(const Device &device) { return device.below[kProfile]; }

// What vkCreateDevice enables.

void check_features(Enforced &device, std::span<const VkBool32> enabled, std::span<const char *const> names) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (!enabled[i]) continue;
    device.features.insert(names[i]);
    wanted(device, device.limits.has_feature(names[i]), "vkCreateDevice: feature ", names[i]);
  }
}

void check_core_features(Enforced &device, const VkPhysicalDeviceFeatures &features) {
  VkPhysicalDeviceFeatures others = features;
  others.robustBufferAccess = VK_FALSE; // every device has it
  const auto *const all = reinterpret_cast<const VkBool32 *>(&others);
  for (size_t i = 0; i < sizeof others / sizeof *all; ++i)
    wanted(device, !all[i], "vkCreateDevice: number ", i, " of VkPhysicalDeviceFeatures");
}

/// Extensions that are masked the loader refuses itself.
void check_device(Enforced &device, const VkDeviceCreateInfo &info) {
  if (info.pEnabledFeatures) check_core_features(device, *info.pEnabledFeatures);
  for (const auto *at = static_cast<const VkBaseInStructure *>(info.pNext); at; at = at->pNext) {
    const void *const any = at;
    if (at->sType == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO ||
        at->sType == VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO)
      continue;
    if (at->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2)
      check_core_features(device, static_cast<const VkPhysicalDeviceFeatures2 *>(any)->features);
    else if (const FeatureStructure *known = find_features(at->sType))
      check_features(device, {reinterpret_cast<const VkBool32 *>(at + 1), known->names.size()}, known->names);
    else
      wanted(device, false, "vkCreateDevice: structure ", uint32_t(at->sType),
             ", which profiles do not know");
  }
}

// Layouts.

VkResult create_set_layout(VkDevice handle, const VkDescriptorSetLayoutCreateInfo *info,
                           const VkAllocationCallbacks *allocator, VkDescriptorSetLayout *out) {
  Device &device = device_of(handle);
  const VkResult result = below(device).CreateDescriptorSetLayout(handle, info, allocator, out);
  if (result != VK_SUCCESS) return result;
  std::map<VkDescriptorType, uint64_t> counts;
  for (const auto &b : std::span(info->pBindings, info->bindingCount))
    counts[b.descriptorType] += b.descriptorCount;
  const std::lock_guard lock(device.enforced->mutex);
  device.enforced->set_layouts[*out] = std::move(counts);
  return result;
}

void check_layout(Enforced &device, const VkPipelineLayoutCreateInfo &info) {
  constexpr const char *kName = "vkCreatePipelineLayout: ";
  std::map<VkDescriptorType, uint64_t> counts;
  uint64_t all = 0;
  {
    const std::lock_guard lock(device.mutex);
    for (const VkDescriptorSetLayout set : std::span(info.pSetLayouts, info.setLayoutCount))
      for (const auto &[type, count] : device.set_layouts[set]) {
        counts[type] += count;
        all += count;
      }
  }
  const uint64_t storage =
      counts[VK_DESCRIPTOR_TYPE_STORAGE_BUFFER] + counts[VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC];
  const uint64_t uniform =
      counts[VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER] + counts[VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC];
  at_most(device, info.setLayoutCount, kLeast.sets, kName, "descriptor sets");
  at_most(device, storage, device.limits.caps.max_storage_buffers, kName, "storage buffers of a stage");
  at_most(device, storage, kLeast.set_storage_buffers, kName, "storage buffers");
  at_most(device, uniform, kLeast.stage_uniform_buffers, kName, "uniform buffers of a stage");
  at_most(device, counts[VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER], kLeast.stage_texel_buffers, kName,
          "uniform texel buffers of a stage");
  at_most(device, counts[VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER], kLeast.stage_storage_texels, kName,
          "storage texel buffers of a stage");
  at_most(device, all, kLeast.stage_all, kName, "resources of a stage");
  for (const VkPushConstantRange &range : std::span(info.pPushConstantRanges, info.pushConstantRangeCount))
    at_most(device, uint64_t(range.offset) + range.size, device.limits.caps.max_push_constant_bytes, kName,
            "bytes of push constants");
}

VkResult create_layout(VkDevice handle, const VkPipelineLayoutCreateInfo *info,
                       const VkAllocationCallbacks *allocator, VkPipelineLayout *out) {
  Device &device = device_of(handle);
  check_layout(*device.enforced, *info);
  return below(device).CreatePipelineLayout(handle, info, allocator, out);
}

// Kernels.

struct CapabilityNeeds {
  uint32_t capability;
  const char *feature; // "": every device has it
};
constexpr CapabilityNeeds kCapabilities[] = {
    {0, ""}, // Matrix
    {1, ""}, // Shader
    {9, "shaderFloat16"},
    {10, "shaderFloat64"},
    {11, "shaderInt64"},
    {22, "shaderInt16"},
    {39, "shaderInt8"},
    {46, ""}, // SampledBuffer
    {47, ""}, // ImageBuffer
    {50, ""}, // ImageQuery
    {4433, "storageBuffer16BitAccess"},
    {4434, "uniformAndStorageBuffer16BitAccess"},
    {4435, "storagePushConstant16"},
    {4448, "storageBuffer8BitAccess"},
    {4449, "uniformAndStorageBuffer8BitAccess"},
    {4450, "storagePushConstant8"},
    {6016, "shaderIntegerDotProduct"},
    {6017, "shaderIntegerDotProduct"},
    {6018, "shaderIntegerDotProduct"},
    {6019, "shaderIntegerDotProduct"},
};
constexpr uint32_t kGroupNonUniform = 61, kGroupNonUniformQuad = 68; // in the order of subgroup operations

void check_capability(Enforced &device, uint32_t capability) {
  constexpr const char *kName = "vkCreateShaderModule: SPIR-V capability ";
  if (capability >= kGroupNonUniform && capability <= kGroupNonUniformQuad) {
    const VkSubgroupFeatureFlags operation = 1u << (capability - kGroupNonUniform);
    wanted(device, device.limits.subgroup_operations & operation, kName, capability,
           ", a subgroup operation");
    return;
  }
  const auto *const found =
      std::find_if(std::begin(kCapabilities), std::end(kCapabilities),
                   [&](const CapabilityNeeds &needs) { return needs.capability == capability; });
  if (found == std::end(kCapabilities))
    wanted(device, false, kName, capability);
  else
    wanted(device, !*found->feature || device.features.contains(found->feature), kName, capability,
           " without ", found->feature);
}

VkResult create_module(VkDevice handle, const VkShaderModuleCreateInfo *info,
                       const VkAllocationCallbacks *allocator, VkShaderModule *out) {
  Device &device = device_of(handle);
  const std::span words(info->pCode, info->codeSize / 4);
  for (const uint32_t capability : spirv_needs(words).capabilities)
    check_capability(*device.enforced, capability);
  const VkResult result = below(device).CreateShaderModule(handle, info, allocator, out);
  if (result != VK_SUCCESS) return result;
  const std::lock_guard lock(device.enforced->mutex);
  device.enforced->modules[*out].assign(words.begin(), words.end());
  return result;
}

SpecValues spec_values(const VkSpecializationInfo *info) {
  SpecValues out;
  if (!info) return out;
  for (const VkSpecializationMapEntry &entry : std::span(info->pMapEntries, info->mapEntryCount))
    std::memcpy(&out[entry.constantID], static_cast<const std::byte *>(info->pData) + entry.offset,
                std::min<size_t>(entry.size, sizeof(uint32_t)));
  return out;
}

void check_subgroups(Enforced &device, const VkPipelineShaderStageCreateInfo &stage) {
  constexpr const char *kName = "vkCreateComputePipelines: ";
  if (stage.flags & VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT)
    wanted(device, device.features.contains("computeFullSubgroups"), kName, "full subgroups");
  if (stage.flags & VK_PIPELINE_SHADER_STAGE_CREATE_ALLOW_VARYING_SUBGROUP_SIZE_BIT)
    wanted(device, device.features.contains("subgroupSizeControl"), kName, "subgroups of any size");
  for (const auto *at = static_cast<const VkBaseInStructure *>(stage.pNext); at; at = at->pNext) {
    if (at->sType != VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO) continue;
    const void *const any = at;
    const uint32_t size =
        static_cast<const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo *>(any)->requiredSubgroupSize;
    wanted(device, device.features.contains("subgroupSizeControl"), kName, "subgroups of a size");
    at_most(device, size, device.limits.caps.max_subgroup_size, kName, "invocations of a subgroup");
    wanted(device, size >= device.limits.caps.min_subgroup_size, kName, "subgroups of ", size);
  }
}

void check_pipeline(Enforced &device, const VkComputePipelineCreateInfo &info) {
  constexpr const char *kName = "vkCreateComputePipelines: ";
  std::vector<uint32_t> words;
  {
    const std::lock_guard lock(device.mutex);
    words = device.modules[info.stage.module];
  }
  const DeviceCaps &caps = device.limits.caps;
  const SpirvNeeds needs = spirv_needs(words, spec_values(info.stage.pSpecializationInfo));
  wanted(device, needs.workgroup && needs.shared_bytes, kName, "a kernel whose size is not understood");
  if (needs.workgroup) {
    uint64_t invocations = 1;
    for (size_t i = 0; i < 3; ++i) {
      invocations *= (*needs.workgroup)[i];
      at_most(device, (*needs.workgroup)[i], caps.max_workgroup_size[i], kName, "workgroup's size along ",
              "xyz"[i]);
    }
    at_most(device, invocations, caps.max_workgroup_invocations, kName, "invocations of a workgroup");
  }
  if (needs.shared_bytes)
    at_most(device, *needs.shared_bytes, caps.max_shared_memory_bytes, kName, "bytes of shared memory");
  check_subgroups(device, info.stage);
}

VkResult create_pipelines(VkDevice handle, VkPipelineCache cache, uint32_t count,
                          const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *allocator,
                          VkPipeline *out) {
  Device &device = device_of(handle);
  for (const VkComputePipelineCreateInfo &info : std::span(infos, count))
    check_pipeline(*device.enforced, info);
  return below(device).CreateComputePipelines(handle, cache, count, infos, allocator, out);
}

// Bindings.

VkResult create_buffer(VkDevice handle, const VkBufferCreateInfo *info,
                       const VkAllocationCallbacks *allocator, VkBuffer *out) {
  Device &device = device_of(handle);
  const VkResult result = below(device).CreateBuffer(handle, info, allocator, out);
  if (result != VK_SUCCESS) return result;
  const std::lock_guard lock(device.enforced->mutex);
  device.enforced->buffers[*out] = info->size;
  return result;
}

uint64_t range_of(Enforced &device, VkBuffer buffer, uint64_t offset, uint64_t range) {
  const std::lock_guard lock(device.mutex);
  return range == VK_WHOLE_SIZE ? device.buffers[buffer] - offset : range;
}

VkResult create_view(VkDevice handle, const VkBufferViewCreateInfo *info,
                     const VkAllocationCallbacks *allocator, VkBufferView *out) {
  constexpr const char *kName = "vkCreateBufferView: ";
  Device &device = device_of(handle);
  Enforced &e = *device.enforced;
  const uint32_t bytes = bytes_of_texel(info->format);
  wanted(e, bytes != 0, kName, "format ", uint32_t(info->format));
  aligned(e, info->offset, e.limits.caps.texel_offset_alignment, kName, "offset");
  if (bytes)
    at_most(e, range_of(e, info->buffer, info->offset, info->range) / bytes,
            e.limits.caps.max_texel_buffer_elements, kName, "texels");
  return below(device).CreateBufferView(handle, info, allocator, out);
}

void check_write(Enforced &device, const VkDescriptorBufferInfo &info, bool storage) {
  const DeviceCaps &caps = device.limits.caps;
  const char *const name =
      storage ? "vkUpdateDescriptorSets: storage buffer's " : "vkUpdateDescriptorSets: uniform buffer's ";
  aligned(device, info.offset, storage ? caps.storage_offset_alignment : caps.uniform_offset_alignment, name,
          "offset");
  at_most(device, range_of(device, info.buffer, info.offset, info.range),
          storage ? caps.max_storage_buffer_range : kLeast.uniform_range, name, "bytes");
}

void update_sets(VkDevice handle, uint32_t n_writes, const VkWriteDescriptorSet *writes, uint32_t n_copies,
                 const VkCopyDescriptorSet *copies) {
  Device &device = device_of(handle);
  for (const VkWriteDescriptorSet &write : std::span(writes, n_writes)) {
    const VkDescriptorType type = write.descriptorType;
    const bool storage = type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    if (!storage && type != VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER) {
      wanted(*device.enforced, type == VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
             "vkUpdateDescriptorSets: type ", uint32_t(type), ", which the layer does not follow");
      continue;
    }
    for (uint32_t i = 0; i < write.descriptorCount; ++i)
      check_write(*device.enforced, write.pBufferInfo[i], storage);
  }
  below(device).UpdateDescriptorSets(handle, n_writes, writes, n_copies, copies);
}

// Commands.

void push_constants(VkCommandBuffer commands, VkPipelineLayout layout, VkShaderStageFlags stages,
                    uint32_t offset, uint32_t size, const void *values) {
  Device &device = device_of(commands);
  at_most(*device.enforced, uint64_t(offset) + size, device.enforced->limits.caps.max_push_constant_bytes,
          "vkCmdPushConstants: bytes");
  below(device).CmdPushConstants(commands, layout, stages, offset, size, values);
}

void check_groups(Enforced &device, const char *name, const std::array<uint32_t, 3> &base,
                  const std::array<uint32_t, 3> &groups) {
  for (size_t i = 0; i < 3; ++i)
    at_most(device, uint64_t(base[i]) + groups[i], device.limits.caps.max_workgroup_count[i], name,
            ": groups along ", "xyz"[i]);
}

void dispatch(VkCommandBuffer commands, uint32_t x, uint32_t y, uint32_t z) {
  Device &device = device_of(commands);
  check_groups(*device.enforced, "vkCmdDispatch", {}, {x, y, z});
  below(device).CmdDispatch(commands, x, y, z);
}

void dispatch_base(VkCommandBuffer commands, uint32_t base_x, uint32_t base_y, uint32_t base_z, uint32_t x,
                   uint32_t y, uint32_t z) {
  Device &device = device_of(commands);
  check_groups(*device.enforced, "vkCmdDispatchBase", {base_x, base_y, base_z}, {x, y, z});
  below(device).CmdDispatchBase(commands, base_x, base_y, base_z, x, y, z);
}

void dispatch_indirect(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset) {
  Device &device = device_of(commands);
  beyond(*device.enforced, "vkCmdDispatchIndirect: groups, which the layer does not see");
  below(device).CmdDispatchIndirect(commands, buffer, offset);
}

void write_timestamp(VkCommandBuffer commands, VkPipelineStageFlagBits stage, VkQueryPool pool,
                     uint32_t query) {
  Device &device = device_of(commands);
  wanted(*device.enforced, device.enforced->limits.caps.timestamp_period_ns != 0, "vkCmdWriteTimestamp");
  below(device).CmdWriteTimestamp(commands, stage, pool, query);
}

/// A software driver is slower than the device that it stands for, which Fovea waits for by the wall's clock.
VkResult wait(VkDevice handle, uint32_t count, const VkFence *fences, VkBool32 all, uint64_t timeout_ns) {
  constexpr uint64_t kPatienceNs = 300'000'000'000;
  return below(device_of(handle))
      .WaitForFences(handle, count, fences, all, std::max(timeout_ns, kPatienceNs));
}

/// Told before the call, which a driver that has less still refuses.
VkResult create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                       const VkAllocationCallbacks *allocator, VkDevice *out) {
  Enforced asked;
  if (auto limits = limits_of(physical)) {
    asked.limits = std::move(*limits);
    check_device(asked, *info);
  }
  const VkResult result = instance_of(physical).below[kProfile].CreateDevice(physical, info, allocator, out);
  if (result != VK_SUCCESS) return result;
  if (Enforced *created = device_of(*out).enforced.get()) created->features = asked.features;
  return result;
}

} // namespace

void attach_profile_checks(InstanceFunctions &table) { table.CreateDevice = create_device; }

void attach_profile(Device &device) {
  auto limits = limits_of(device.physical);
  if (!limits) return;
  device.enforced = std::make_shared<Enforced>();
  device.enforced->limits = std::move(*limits);
  DeviceFunctions &table = device.table;
  table.CreateDescriptorSetLayout = create_set_layout;
  table.CreatePipelineLayout = create_layout;
  table.CreateShaderModule = create_module;
  table.CreateComputePipelines = create_pipelines;
  table.CreateBuffer = create_buffer;
  table.CreateBufferView = create_view;
  table.UpdateDescriptorSets = update_sets;
  attach_profile_memory(table);
  table.CmdPushConstants = push_constants;
  table.CmdDispatch = dispatch;
  table.CmdDispatchBase = dispatch_base;
  table.CmdDispatchIndirect = dispatch_indirect;
  table.CmdWriteTimestamp = write_timestamp;
  if (device.enforced->limits.disguised) table.WaitForFences = wait;
}

void count_limit_check() { ++n_checks(); }
uint64_t n_limit_checks() { return n_checks(); }

void reset_profile() {
  set_profile("", false);
  n_checks() = 0;
}

} // namespace fovea::layer
