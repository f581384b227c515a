#include "layer/bindings.h"

#include "layer/core.h"
#include "layer/spirv_access.h"

namespace fovea::layer {
namespace {

struct BoundBuffer {
  VkDeviceMemory memory = VK_NULL_HANDLE;
  uint64_t offset = 0, size = 0;
};

struct Bindings {
  std::mutex mutex;
  std::map<VkBuffer, BoundBuffer> buffers;
  std::map<VkBufferView, Range> views;
  std::map<VkShaderModule, std::map<uint32_t, SlotAccess>> modules;
  std::map<VkPipeline, std::map<uint32_t, SlotAccess>> pipelines;
  std::map<VkDescriptorSet, std::map<uint32_t, std::pair<Range, VkDescriptorType>>> sets;
};

Bindings &bindings() {
  static Bindings &all = *new Bindings; // outlives the application's own statics
  return all;
}

const DeviceFunctions &below(VkDevice device) { return device_of(device).below[kBindings]; }

Range range_of_locked(VkBuffer buffer, uint64_t offset, uint64_t size) {
  const BoundBuffer &b = bindings().buffers[buffer];
  const uint64_t end = size == VK_WHOLE_SIZE ? b.size : offset + size;
  return {b.memory, b.offset + offset, b.offset + end};
}

VkResult create_buffer(VkDevice device, const VkBufferCreateInfo *info,
                       const VkAllocationCallbacks *allocator, VkBuffer *out) {
  const VkResult result = below(device).CreateBuffer(device, info, allocator, out);
  const std::lock_guard lock(bindings().mutex);
  if (result == VK_SUCCESS) bindings().buffers[*out] = {VK_NULL_HANDLE, 0, info->size};
  return result;
}

VkResult bind_buffer(VkDevice device, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset) {
  const VkResult result = below(device).BindBufferMemory(device, buffer, memory, offset);
  const std::lock_guard lock(bindings().mutex);
  bindings().buffers[buffer].memory = memory;
  bindings().buffers[buffer].offset = offset;
  return result;
}

VkResult create_view(VkDevice device, const VkBufferViewCreateInfo *info,
                     const VkAllocationCallbacks *allocator, VkBufferView *out) {
  const VkResult result = below(device).CreateBufferView(device, info, allocator, out);
  const std::lock_guard lock(bindings().mutex);
  if (result == VK_SUCCESS) bindings().views[*out] = range_of_locked(info->buffer, info->offset, info->range);
  return result;
}

VkResult create_module(VkDevice device, const VkShaderModuleCreateInfo *info,
                       const VkAllocationCallbacks *allocator, VkShaderModule *out) {
  const VkResult result = below(device).CreateShaderModule(device, info, allocator, out);
  const std::lock_guard lock(bindings().mutex);
  if (result == VK_SUCCESS) bindings().modules[*out] = slot_accesses({info->pCode, info->codeSize / 4});
  return result;
}

VkResult create_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                          const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *allocator,
                          VkPipeline *out) {
  const VkResult result = below(device).CreateComputePipelines(device, cache, count, infos, allocator, out);
  const std::lock_guard lock(bindings().mutex);
  for (uint32_t i = 0; i < count && result == VK_SUCCESS; ++i)
    bindings().pipelines[out[i]] = bindings().modules[infos[i].stage.module];
  return result;
}

void update_sets(VkDevice device, uint32_t n_writes, const VkWriteDescriptorSet *writes, uint32_t n_copies,
                 const VkCopyDescriptorSet *copies) {
  below(device).UpdateDescriptorSets(device, n_writes, writes, n_copies, copies);
  if (n_copies) report("vkUpdateDescriptorSets copies sets, which the layer does not follow");
  const std::lock_guard lock(bindings().mutex);
  for (uint32_t i = 0; i < n_writes; ++i)
    for (uint32_t k = 0; k < writes[i].descriptorCount; ++k) {
      auto &[range, type] = bindings().sets[writes[i].dstSet][writes[i].dstBinding + k];
      type = writes[i].descriptorType;
      if (writes[i].pTexelBufferView)
        range = bindings().views[writes[i].pTexelBufferView[k]];
      else
        range = range_of_locked(writes[i].pBufferInfo[k].buffer, writes[i].pBufferInfo[k].offset,
                                writes[i].pBufferInfo[k].range);
    }
}

} // namespace

void attach_bindings(DeviceFunctions &table) {
  table.CreateBuffer = create_buffer;
  table.BindBufferMemory = bind_buffer;
  table.CreateBufferView = create_view;
  table.CreateShaderModule = create_module;
  table.CreateComputePipelines = create_pipelines;
  table.UpdateDescriptorSets = update_sets;
}

Range range_of(VkBuffer buffer, uint64_t offset, uint64_t size) {
  const std::lock_guard lock(bindings().mutex);
  return range_of_locked(buffer, offset, size);
}

std::vector<Access> dispatch_accesses(VkPipeline pipeline, VkDescriptorSet set) {
  const std::lock_guard lock(bindings().mutex);
  const auto &bound = bindings().sets[set];
  std::vector<Access> out;
  for (const auto &[slot, access] : bindings().pipelines[pipeline]) {
    const auto found = bound.find(slot);
    if (found == bound.end()) {
      report(concat("a dispatch uses binding ", slot, ", and nothing is bound there"));
      continue;
    }
    const auto &[range, type] = found->second;
    const VkAccessFlags read =
        type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER ? VK_ACCESS_UNIFORM_READ_BIT : VK_ACCESS_SHADER_READ_BIT;
    const auto add = [&, &range = range, &slot = slot](VkAccessFlags what) {
      out.push_back({range.memory, range.begin, range.end, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, what,
                     "binding", slot});
    };
    if (access.reads) add(read);
    if (access.writes) add(VK_ACCESS_SHADER_WRITE_BIT);
  }
  return out;
}

} // namespace fovea::layer
