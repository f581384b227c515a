// Duty: memory as the least of devices have it. Nothing coherent: what is mapped is a copy, which only
// flushing and invalidating bring together; nothing cached; fresh memory full of NaN; guards around each
// allocation, looked at when it is freed; small heaps.
//
// Works on memory that the host can see, which a software driver's is. What is imported counts as never
// flushed where nothing is coherent: the device then sees NaN in its place.
#include "layer/memory.h"

#include "layer/core.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <map>
#include <span>
#include <vector>

namespace fovea::layer {
namespace {

constexpr uint64_t kGuardBytes = 4096; // a multiple of every alignment that a buffer may ask for
constexpr std::byte kGuard{0xA5};
constexpr std::byte kPoison{0xFF}; // NaN as f32, f16 and bf16, -1 as an integer
constexpr uint64_t kAtomBytes = 256;

struct Allocation {
  uint64_t bytes = 0, front = 0;
  bool guarded = false, incoherent = false;
  VkMemoryPropertyFlags properties = 0; // as the driver says
  std::byte *real = nullptr; // the driver's mapping, guards included; null where the host cannot see it
  std::unique_ptr<std::byte[]> shadow; // what the application has mapped
  uint64_t mapped_begin = 0, mapped_end = 0;

  std::byte *data() const { return real + front; }
};

struct Memory {
  std::mutex mutex;
  MemoryModel model;
  std::map<VkDeviceMemory, Allocation> allocations;
  uint64_t total_bytes = 0;

  Memory() {
    std::string_view rest = environment("FOVEA_LAYER_MEMORY");
    while (!rest.empty()) {
      const std::string_view item = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), item.size() + 1));
      if (item == "incoherent")
        model.incoherent = true;
      else if (item == "uncached")
        model.uncached = true;
      else if (item == "poison")
        model.poison = true;
      else if (item == "guard")
        model.guard = true;
      else if (item.starts_with("heap="))
        std::from_chars(item.data() + 5, item.data() + item.size(), model.heap_bytes);
      else
        report(concat("FOVEA_LAYER_MEMORY: not understood: ", item));
    }
  }
};

Memory &memory() {
  static Memory &all = *new Memory; // outlives the application's own statics
  return all;
}

const DeviceFunctions &below(VkDevice device) { return device_of(device).below[kMemory]; }

VkPhysicalDeviceMemoryProperties real_properties(VkPhysicalDevice physical) {
  auto properties =
      vk::structure<VkPhysicalDeviceMemoryProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
  instance_of(physical).below[kMemory].GetPhysicalDeviceMemoryProperties2(physical, &properties);
  return properties.memoryProperties;
}

void get_memory_properties(VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties2 *out) {
  instance_of(physical).below[kMemory].GetPhysicalDeviceMemoryProperties2(physical, out);
  const std::lock_guard lock(memory().mutex);
  const MemoryModel &model = memory().model;
  VkPhysicalDeviceMemoryProperties &p = out->memoryProperties;
  for (VkMemoryType &type : std::span(p.memoryTypes, p.memoryTypeCount)) {
    if (model.incoherent) type.propertyFlags &= ~VkMemoryPropertyFlags(VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    if (model.uncached) type.propertyFlags &= ~VkMemoryPropertyFlags(VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
  }
  for (VkMemoryHeap &heap : std::span(p.memoryHeaps, p.memoryHeapCount))
    if (model.heap_bytes) heap.size = std::min<VkDeviceSize>(heap.size, model.heap_bytes);
}

void limit(VkPhysicalDeviceLimits &limits) {
  const std::lock_guard lock(memory().mutex);
  if (memory().model.incoherent)
    limits.nonCoherentAtomSize = std::max<VkDeviceSize>(limits.nonCoherentAtomSize, kAtomBytes);
}

void get_properties(VkPhysicalDevice physical, VkPhysicalDeviceProperties *out) {
  instance_of(physical).below[kMemory].GetPhysicalDeviceProperties(physical, out);
  limit(out->limits);
}

void get_properties2(VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *out) {
  instance_of(physical).below[kMemory].GetPhysicalDeviceProperties2(physical, out);
  limit(out->properties.limits);
}

bool imports(const VkMemoryAllocateInfo &info) {
  for (auto *at = static_cast<const VkBaseInStructure *>(info.pNext); at; at = at->pNext)
    if (at->sType == VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT) return true;
  return false;
}

VkResult allocate(VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *allocator,
                  VkDeviceMemory *out) {
  MemoryModel model;
  {
    const std::lock_guard lock(memory().mutex);
    model = memory().model;
    if (model.heap_bytes && memory().total_bytes + info->allocationSize > model.heap_bytes)
      return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  }
  Allocation a;
  a.bytes = info->allocationSize;
  a.properties = real_properties(device_of(device).physical).memoryTypes[info->memoryTypeIndex].propertyFlags;
  const bool visible = a.properties & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  VkMemoryAllocateInfo changed = *info;
  if (visible && imports(*info) && model.incoherent) {
    changed.pNext = nullptr;
    model.poison = true;
  }
  const bool ours = visible && !imports(changed);
  a.guarded = ours && model.guard;
  a.incoherent = ours && model.incoherent;
  a.front = a.guarded ? kGuardBytes : 0;
  changed.allocationSize += 2 * a.front;
  const VkResult result = below(device).AllocateMemory(device, &changed, allocator, out);
  if (result != VK_SUCCESS) return result;
  void *real = nullptr;
  if (ours && below(device).MapMemory(device, *out, 0, VK_WHOLE_SIZE, 0, &real) == VK_SUCCESS) {
    a.real = static_cast<std::byte *>(real);
    if (model.poison) std::memset(a.data(), int(kPoison), a.bytes);
    if (a.guarded) {
      std::memset(a.real, int(kGuard), kGuardBytes);
      std::memset(a.data() + a.bytes, int(kGuard), kGuardBytes);
    }
  }
  const std::lock_guard lock(memory().mutex);
  memory().total_bytes += a.bytes;
  memory().allocations[*out] = std::move(a);
  return result;
}

/// Reports the first byte of [begin, end), counted from the allocation's first, that is not `value`.
void check_untouched(const Allocation &a, int64_t begin, int64_t end, std::byte value, const char *where) {
  const std::byte *const first = a.data() + begin, *const last = a.data() + end;
  const auto *const changed = std::find_if(first, last, [&](std::byte b) { return b != value; });
  if (changed != last)
    report(concat("written ", where, ": byte ", changed - a.data(), " of an allocation of ", a.bytes));
}

void free(VkDevice device, VkDeviceMemory handle, const VkAllocationCallbacks *allocator) {
  if (handle) {
    const std::lock_guard lock(memory().mutex);
    const auto found = memory().allocations.find(handle);
    if (found != memory().allocations.end()) {
      const Allocation &a = found->second;
      const auto bytes = int64_t(a.bytes), guard = int64_t(kGuardBytes);
      if (a.real && a.guarded) {
        check_untouched(a, -guard, 0, kGuard, "before an allocation");
        check_untouched(a, bytes, bytes + guard, kGuard, "behind an allocation");
      }
      memory().total_bytes -= a.bytes;
      memory().allocations.erase(found);
    }
  }
  below(device).FreeMemory(device, handle, allocator);
}

VkResult bind(VkDevice device, VkBuffer buffer, VkDeviceMemory handle, VkDeviceSize offset) {
  uint64_t front = 0;
  {
    const std::lock_guard lock(memory().mutex);
    front = memory().allocations[handle].front;
  }
  return below(device).BindBufferMemory(device, buffer, handle, offset + front);
}

VkResult map(VkDevice device, VkDeviceMemory handle, VkDeviceSize offset, VkDeviceSize size,
             VkMemoryMapFlags flags, void **out) {
  const std::lock_guard lock(memory().mutex);
  Allocation &a = memory().allocations[handle];
  if (!a.real) return below(device).MapMemory(device, handle, offset + a.front, size, flags, out);
  a.mapped_begin = offset;
  a.mapped_end = size == VK_WHOLE_SIZE ? a.bytes : offset + size;
  if (a.incoherent) {
    a.shadow = std::make_unique<std::byte[]>(a.bytes);
    std::memcpy(a.shadow.get(), a.data(), a.bytes);
  }
  *out = (a.incoherent ? a.shadow.get() : a.data()) + offset;
  return VK_SUCCESS;
}

/// Between the host's copy and the device's memory.
VkResult synchronize(VkDevice device, uint32_t count, const VkMappedMemoryRange *ranges, bool to_device) {
  const char *const name = to_device ? "vkFlushMappedMemoryRanges" : "vkInvalidateMappedMemoryRanges";
  std::vector<VkMappedMemoryRange> passed_on;
  {
    const std::lock_guard lock(memory().mutex);
    for (const VkMappedMemoryRange &range : std::span(ranges, count)) {
      Allocation &a = memory().allocations[range.memory];
      const uint64_t end = range.size == VK_WHOLE_SIZE ? a.mapped_end : range.offset + range.size;
      if (!(a.properties & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)) {
        passed_on.push_back(range);
        passed_on.back().offset += a.front;
        passed_on.back().size = end - range.offset;
      }
      if (!a.incoherent) continue;
      if (range.offset < a.mapped_begin || end > a.mapped_end || range.offset > end) {
        report(concat(name, ": bytes ", range.offset, " to ", end, " of a mapping of ", a.mapped_begin,
                      " to ", a.mapped_end));
        continue;
      }
      if (range.offset % kAtomBytes || (end % kAtomBytes && end != a.bytes))
        report(concat(name, ": bytes ", range.offset, " to ", end, " are not whole atoms of ", kAtomBytes));
      std::byte *const host = a.shadow.get() + range.offset, *const real = a.data() + range.offset;
      std::memcpy(to_device ? real : host, to_device ? host : real, end - range.offset);
    }
  }
  if (passed_on.empty()) return VK_SUCCESS;
  const DeviceFunctions &next = below(device);
  return (to_device ? next.FlushMappedMemoryRanges : next.InvalidateMappedMemoryRanges)(
      device, uint32_t(passed_on.size()), passed_on.data());
}

VkResult flush(VkDevice device, uint32_t count, const VkMappedMemoryRange *ranges) {
  return synchronize(device, count, ranges, true);
}

VkResult invalidate(VkDevice device, uint32_t count, const VkMappedMemoryRange *ranges) {
  return synchronize(device, count, ranges, false);
}

} // namespace

void attach_memory(InstanceFunctions &table) {
  table.GetPhysicalDeviceMemoryProperties2 = get_memory_properties;
  table.GetPhysicalDeviceProperties = get_properties;
  table.GetPhysicalDeviceProperties2 = get_properties2;
}

void attach_memory(DeviceFunctions &table) {
  table.AllocateMemory = allocate;
  table.FreeMemory = free;
  table.BindBufferMemory = bind;
  table.MapMemory = map;
  table.FlushMappedMemoryRanges = flush;
  table.InvalidateMappedMemoryRanges = invalidate;
}

void set_memory(const MemoryModel &model) {
  const std::lock_guard lock(memory().mutex);
  memory().model = model;
}

void reset_memory() { set_memory({}); }

} // namespace fovea::layer
