// Memory within a profile: its types are the profile's, and what goes beyond it is reported.
#include "layer/profile_enforced.h"

#include <span>

namespace fovea::layer {
namespace {

const DeviceFunctions &below(const Device &device) { return device.below[kProfile]; }

bool imports(const VkMemoryAllocateInfo &info) {
  for (auto *at = static_cast<const VkBaseInStructure *>(info.pNext); at; at = at->pNext)
    if (at->sType == VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT) return true;
  return false;
}

VkResult allocate(VkDevice handle, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *allocator,
                  VkDeviceMemory *out) {
  constexpr const char *kName = "vkAllocateMemory: ";
  Device &device = device_of(handle);
  Enforced &e = *device.enforced;
  const Limits &l = e.limits;
  wanted(e, !imports(*info) || l.caps.host_pointer_import, kName, "imported pages");
  const bool has_type = info->memoryTypeIndex < l.memory.memoryTypeCount;
  wanted(e, has_type, kName, "memory type ", info->memoryTypeIndex);
  VkMemoryAllocateInfo changed = *info;
  bool visible = true;
  if (has_type) {
    const VkMemoryType &type = l.memory.memoryTypes[info->memoryTypeIndex];
    visible = type.propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
    at_most(e, info->allocationSize, l.memory.memoryHeaps[type.heapIndex].size, kName, "bytes of a heap");
    changed.memoryTypeIndex = l.real_types[info->memoryTypeIndex];
  }
  at_most(e, info->allocationSize, l.caps.max_allocation_bytes, kName, "bytes");
  const VkResult result = below(device).AllocateMemory(handle, &changed, allocator, out);
  if (result != VK_SUCCESS) return result;
  uint64_t n = 0;
  {
    const std::lock_guard lock(e.mutex);
    e.memory[*out] = {info->allocationSize, 0, visible};
    n = e.memory.size();
  }
  at_most(e, n, kLeast.allocations, kName, "allocations");
  return result;
}

void free_memory(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks *allocator) {
  Device &device = device_of(handle);
  {
    const std::lock_guard lock(device.enforced->mutex);
    device.enforced->memory.erase(memory);
  }
  below(device).FreeMemory(handle, memory, allocator);
}

VkResult map_memory(VkDevice handle, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,
                    VkMemoryMapFlags flags, void **out) {
  Device &device = device_of(handle);
  bool visible = true;
  {
    const std::lock_guard lock(device.enforced->mutex);
    Enforced::Memory &m = device.enforced->memory[memory];
    m.mapped_end = size == VK_WHOLE_SIZE ? m.bytes : offset + size;
    visible = m.visible;
  }
  wanted(*device.enforced, visible, "vkMapMemory: memory that the host does not see");
  return below(device).MapMemory(handle, memory, offset, size, flags, out);
}

void check_atoms(Enforced &device, const char *name, std::span<const VkMappedMemoryRange> ranges) {
  const uint64_t atom = device.limits.caps.non_coherent_atom_size;
  for (const VkMappedMemoryRange &range : ranges) {
    Enforced::Memory m;
    {
      const std::lock_guard lock(device.mutex);
      m = device.memory[range.memory];
    }
    const uint64_t end = range.size == VK_WHOLE_SIZE ? m.mapped_end : range.offset + range.size;
    aligned(device, range.offset, atom, name, ": offset");
    if (end != m.bytes) aligned(device, end, atom, name, ": end");
  }
}

VkResult flush(VkDevice handle, uint32_t count, const VkMappedMemoryRange *ranges) {
  Device &device = device_of(handle);
  check_atoms(*device.enforced, "vkFlushMappedMemoryRanges", {ranges, count});
  return below(device).FlushMappedMemoryRanges(handle, count, ranges);
}

VkResult invalidate(VkDevice handle, uint32_t count, const VkMappedMemoryRange *ranges) {
  Device &device = device_of(handle);
  check_atoms(*device.enforced, "vkInvalidateMappedMemoryRanges", {ranges, count});
  return below(device).InvalidateMappedMemoryRanges(handle, count, ranges);
}

/// Bits of the driver's memory types as bits of the profile's.
uint32_t masked_types(const Limits &l, uint32_t real) {
  uint32_t out = 0;
  for (uint32_t i = 0; i < l.real_types.size(); ++i) out |= (real >> l.real_types[i] & 1) << i;
  return out;
}

void get_requirements(VkDevice handle, VkBuffer buffer, VkMemoryRequirements *out) {
  Device &device = device_of(handle);
  below(device).GetBufferMemoryRequirements(handle, buffer, out);
  out->memoryTypeBits = masked_types(device.enforced->limits, out->memoryTypeBits);
}

VkResult get_host_types(VkDevice handle, VkExternalMemoryHandleTypeFlagBits type, const void *pages,
                        VkMemoryHostPointerPropertiesEXT *out) {
  Device &device = device_of(handle);
  const VkResult result = below(device).GetMemoryHostPointerPropertiesEXT(handle, type, pages, out);
  out->memoryTypeBits = masked_types(device.enforced->limits, out->memoryTypeBits);
  return result;
}

} // namespace

void attach_profile_memory(DeviceFunctions &table) {
  table.AllocateMemory = allocate;
  table.FreeMemory = free_memory;
  table.MapMemory = map_memory;
  table.FlushMappedMemoryRanges = flush;
  table.InvalidateMappedMemoryRanges = invalidate;
  table.GetBufferMemoryRequirements = get_requirements;
  if (table.GetMemoryHostPointerPropertiesEXT) table.GetMemoryHostPointerPropertiesEXT = get_host_types;
}

} // namespace fovea::layer
