// Recorder's descriptor sets: one pool, as large as the recording needs.
#include "vk/recording.h"

#include <map>
#include <tuple>

namespace fovea::vk {
namespace {

VkFormat texel_format(TexelType type) {
  switch (type) {
  case TexelType::Float: return VK_FORMAT_R32G32B32A32_SFLOAT;
  case TexelType::Uint: return VK_FORMAT_R32G32B32A32_UINT;
  case TexelType::Half: return VK_FORMAT_R16_SFLOAT;
  case TexelType::Pair: return VK_FORMAT_R32G32_UINT;
  case TexelType::Int: return VK_FORMAT_R32G32B32A32_SINT;
  }
  return VK_FORMAT_R32G32B32A32_SFLOAT;
}

} // namespace

std::vector<VkDescriptorSet> Recorder::make_descriptor_sets(Recording &recording) const {
  // Dispatches of one kernel on the same ranges share a set. Offsets are in the set, not dynamic: those are
  // limited to 4.
  using Range = std::tuple<uint32_t, VkBuffer, uint64_t, uint64_t>;
  std::map<std::pair<const Kernel *, std::vector<Range>>, uint32_t> known;
  std::vector<const DispatchCommand *> distinct;
  std::vector<uint32_t> set_of_dispatch;
  for (const DispatchCommand &command : dispatches_) {
    std::vector<Range> ranges;
    for (const Binding &b : command.bindings)
      ranges.emplace_back(b.slot, b.buffer->handle(), b.offset, b.size_bytes);
    const auto [at, added] =
        known.try_emplace({command.kernel, std::move(ranges)}, uint32_t(distinct.size()));
    if (added) distinct.push_back(&command);
    set_of_dispatch.push_back(at->second);
  }
  if (distinct.empty()) return {};

  std::array<VkDescriptorPoolSize, 3> counts = {{{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0},
                                                 {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 0},
                                                 {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 0}}};
  std::vector<VkDescriptorSetLayout> layouts;
  for (const DispatchCommand *command : distinct) {
    layouts.push_back(command->kernel->set_layout());
    for (const KernelBinding &b : command->kernel->interface().bindings)
      ++counts[size_t(b.type)].descriptorCount;
  }
  std::vector<VkDescriptorPoolSize> sizes;
  for (const VkDescriptorPoolSize &size : counts)
    if (size.descriptorCount) sizes.push_back(size);

  Context &c = *context_;
  auto pool_info = structure<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  pool_info.maxSets = uint32_t(layouts.size());
  pool_info.poolSizeCount = uint32_t(sizes.size());
  pool_info.pPoolSizes = sizes.data();
  VkDescriptorPool &pool = recording.descriptor_pool_;
  c.check(c.fn.CreateDescriptorPool(c.device, &pool_info, nullptr, &pool), pool, "vkCreateDescriptorPool");
  auto info = structure<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  info.descriptorPool = pool;
  info.descriptorSetCount = uint32_t(layouts.size());
  info.pSetLayouts = layouts.data();
  std::vector<VkDescriptorSet> sets(layouts.size());
  c.check(c.fn.AllocateDescriptorSets(c.device, &info, sets.data()), "vkAllocateDescriptorSets");
  for (size_t i = 0; i < sets.size(); ++i) write_descriptor_set(recording, *distinct[i], sets[i]);

  std::vector<VkDescriptorSet> out;
  for (uint32_t set : set_of_dispatch) out.push_back(sets[set]);
  return out;
}

void Recorder::write_descriptor_set(Recording &recording, const DispatchCommand &command,
                                    VkDescriptorSet set) const {
  Context &c = *context_;
  const size_t n = command.bindings.size();
  std::vector<VkDescriptorBufferInfo> buffers(n);
  std::vector<VkBufferView> views(n);
  std::vector<VkWriteDescriptorSet> writes;
  for (size_t i = 0; i < n; ++i) {
    const Binding &binding = command.bindings[i];
    const KernelBinding &declared = *command.kernel->interface().find(binding.slot);
    auto write = structure<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    write.dstSet = set;
    write.dstBinding = binding.slot;
    write.descriptorCount = 1;
    if (declared.type == BindingType::TexelBuffer) {
      auto info = structure<VkBufferViewCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO);
      info.buffer = binding.buffer->handle();
      info.format = texel_format(declared.texel);
      info.offset = binding.offset;
      info.range = binding.size_bytes;
      recording.views_.push_back(VK_NULL_HANDLE);
      VkBufferView &view = recording.views_.back();
      c.check(c.fn.CreateBufferView(c.device, &info, nullptr, &view), view, "vkCreateBufferView");
      views[i] = view;
      write.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
      write.pTexelBufferView = &views[i];
    } else {
      buffers[i] = {binding.buffer->handle(), binding.offset, binding.size_bytes};
      write.descriptorType = declared.type == BindingType::StorageBuffer ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                                                         : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
      write.pBufferInfo = &buffers[i];
    }
    writes.push_back(write);
  }
  c.fn.UpdateDescriptorSets(c.device, uint32_t(writes.size()), writes.data(), 0, nullptr);
}

} // namespace fovea::vk
