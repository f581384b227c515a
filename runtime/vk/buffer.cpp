#include "vk/buffer.h"

#include "base/checked.h"
#include "base/log.h"

#include <algorithm>
#include <array>

namespace fovea::vk {
namespace {

constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
constexpr VkMemoryPropertyFlags kVisible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
constexpr VkMemoryPropertyFlags kCoherent = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
/// Never wanted: memory of AMD's that bypasses caches, lazily allocated attachments, protected content.
constexpr VkMemoryPropertyFlags kUnwanted =
    VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD |
    VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT;

constexpr VkBufferUsageFlags kUsage =
    VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
    VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
    VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;

} // namespace

const char *to_string(MemoryKind kind) {
  switch (kind) {
  case MemoryKind::Device: return "device";
  case MemoryKind::Staging: return "staging";
  case MemoryKind::Readback: return "readback";
  case MemoryKind::Shared: return "shared";
  case MemoryKind::Imported: return "imported";
  }
  return "?";
}

AtomRange round_to_atoms(uint64_t offset, uint64_t size_bytes, uint64_t atom_bytes,
                         uint64_t allocation_bytes) {
  const uint64_t begin = align_down(offset, atom_bytes);
  const uint64_t end = std::min(align_up(offset + size_bytes, atom_bytes), allocation_bytes);
  return {begin, end - begin};
}

std::vector<uint32_t> rank_memory_types(const VkPhysicalDeviceMemoryProperties &memory, uint32_t allowed,
                                        MemoryKind kind) {
  // Properties to have, and to prefer in order of weight; of equals the driver's order decides (fastest
  // first).
  struct Wish {
    VkMemoryPropertyFlags required, first, second, avoid;
  };
  const Wish wish = [&]() -> Wish {
    switch (kind) {
    case MemoryKind::Device: return {0, kLocal, 0, kVisible};
    case MemoryKind::Staging: return {kVisible, kCoherent, 0, kCached};
    case MemoryKind::Readback: return {kVisible, kCached, kCoherent, 0};
    case MemoryKind::Shared: return {kVisible, kLocal, kCoherent, kCached};
    // Nobody flushes what the host has written to these pages.
    case MemoryKind::Imported: return {kVisible | kCoherent, kCached, 0, 0};
    }
    return {0, 0, 0, 0};
  }();
  const auto score = [&](uint32_t type) {
    const VkMemoryPropertyFlags has = memory.memoryTypes[type].propertyFlags;
    return ((has & wish.first) == wish.first ? 4 : 0) + ((has & wish.second) == wish.second ? 2 : 0) +
           ((has & wish.avoid) ? 0 : 1);
  };
  std::vector<uint32_t> types;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    const VkMemoryPropertyFlags has = memory.memoryTypes[i].propertyFlags;
    if ((allowed & (1u << i)) && (has & wish.required) == wish.required && !(has & kUnwanted))
      types.push_back(i);
  }
  std::stable_sort(types.begin(), types.end(), [&](uint32_t a, uint32_t b) { return score(a) > score(b); });
  return types;
}

namespace {

VkBuffer create_buffer(Context &context, uint64_t size_bytes, const void *next, std::string_view what) {
  auto info = structure<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
  info.pNext = next;
  info.size = size_bytes;
  info.usage = kUsage;
  info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
  VkBuffer buffer = VK_NULL_HANDLE;
  context.check(context.fn.CreateBuffer(context.device, &info, nullptr, &buffer), buffer, what);
  return buffer;
}

std::string heap_text(const Context &context) {
  const HeapStatus heap = device_heap_status(context);
  return concat("its largest heap holds ", heap.total_bytes, " bytes, of which ", heap.budget_bytes,
                " are for this process and ", heap.used_bytes, " in use");
}

} // namespace

Buffer::Buffer(std::shared_ptr<Context> context, MemoryKind kind, uint64_t size_bytes, std::string_view what)
    : context_(std::move(context)), size_bytes_(size_bytes), kind_(kind) {
  Context &c = *context_;
  c.require_alive();
  if (size_bytes == 0) fail(ErrorCode::Internal, what, ": a buffer of 0 bytes");
  if (size_bytes > c.caps.max_allocation_bytes)
    fail(ErrorCode::Unsupported, what, " needs ", size_bytes, " bytes of ", kind, " memory at once; ",
         c.name(), " gives at most ", c.caps.max_allocation_bytes);
  reserve(what);
  try {
    buffer_ = create_buffer(c, size_bytes, nullptr, what);
    VkMemoryRequirements needs{};
    c.fn.GetBufferMemoryRequirements(c.device, buffer_, &needs);
    auto info = structure<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    info.allocationSize = allocation_bytes_ = needs.size;
    VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    for (uint32_t type : rank_memory_types(c.physical.memory, needs.memoryTypeBits, kind)) {
      // A heap that cannot hold it is not asked: a software driver's malloc would promise what the system's
      // out-of-memory killer then takes back.
      const VkPhysicalDeviceMemoryProperties &memory = c.physical.memory;
      if (needs.size > memory.memoryHeaps[memory.memoryTypes[type].heapIndex].size) continue;
      info.memoryTypeIndex = type;
      result = c.fn.AllocateMemory(c.device, &info, nullptr, &memory_);
      if (result == VK_SUCCESS && memory_) break;
    }
    if (result == VK_ERROR_DEVICE_LOST) c.check(result, what);
    if (result != VK_SUCCESS || !memory_)
      fail(ErrorCode::OutOfMemory, what, ": no ", size_bytes, " bytes of ", kind, " memory on ", c.name(),
           " (", result, "); ", heap_text(c));
    const VkMemoryPropertyFlags has = c.physical.memory.memoryTypes[info.memoryTypeIndex].propertyFlags;
    coherent_ = has & kCoherent;
    device_local_ = has & kLocal;
    c.check(c.fn.BindBufferMemory(c.device, buffer_, memory_, 0), what);
    if (kind != MemoryKind::Device) {
      void *address = nullptr;
      c.check(c.fn.MapMemory(c.device, memory_, 0, VK_WHOLE_SIZE, 0, &address), address, what);
      data_ = static_cast<std::byte *>(address);
    }
  } catch (...) {
    release();
    throw;
  }
}

std::optional<Buffer> Buffer::import_host(const std::shared_ptr<Context> &context,
                                          std::span<const std::byte> pages, std::string_view what) {
  Context &c = *context;
  c.require_alive();
  const auto no = [&](const auto &...why) {
    log(LogLevel::Info, what, ": not imported into ", c.name(), ", but copied: ", why...);
    return std::nullopt;
  };
  if (!c.caps.host_pointer_import || !c.fn.GetMemoryHostPointerPropertiesEXT)
    return no("the driver has no VK_EXT_external_memory_host");
  const uint64_t alignment = c.caps.host_pointer_alignment;
  if (pages.empty() || reinterpret_cast<uintptr_t>(pages.data()) % alignment)
    return no("the address is not a multiple of ", alignment);
  const uint64_t size = align_up(pages.size(), alignment);
  if (size > c.caps.max_allocation_bytes) return no(size, " bytes are more than one allocation may have");

  constexpr VkExternalMemoryHandleTypeFlagBits kType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  void *address =
      const_cast<std::byte *>(pages.data()); // bound read-only: kernels never write to imported buffers
  auto properties =
      structure<VkMemoryHostPointerPropertiesEXT>(VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT);
  VkResult result = c.fn.GetMemoryHostPointerPropertiesEXT(c.device, kType, address, &properties);
  if (result != VK_SUCCESS) return no("vkGetMemoryHostPointerPropertiesEXT: ", result);

  Buffer buffer;
  buffer.context_ = context;
  buffer.kind_ = MemoryKind::Imported;
  buffer.size_bytes_ = align_up(pages.size(), 16); // a page goes on: the last binding may be whole texels
  buffer.allocation_bytes_ = size;
  auto external =
      structure<VkExternalMemoryBufferCreateInfo>(VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
  external.handleTypes = kType;
  buffer.buffer_ = create_buffer(c, size, &external, what);
  VkMemoryRequirements needs{};
  c.fn.GetBufferMemoryRequirements(c.device, buffer.buffer_, &needs);
  if (needs.size > size) return no("the driver wants ", needs.size, " bytes for ", size);
  auto import =
      structure<VkImportMemoryHostPointerInfoEXT>(VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
  import.handleType = kType;
  import.pHostPointer = address;
  auto info = structure<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
  info.pNext = &import;
  info.allocationSize = size;
  const uint32_t allowed = needs.memoryTypeBits & properties.memoryTypeBits;
  const std::vector<uint32_t> types = rank_memory_types(c.physical.memory, allowed, MemoryKind::Imported);
  if (types.empty()) return no("no coherent memory takes it");
  for (uint32_t type : types) {
    info.memoryTypeIndex = type;
    result = c.fn.AllocateMemory(c.device, &info, nullptr, &buffer.memory_);
    if (result == VK_SUCCESS && buffer.memory_) break;
  }
  if (result != VK_SUCCESS || !buffer.memory_) return no("vkAllocateMemory: ", result);
  c.check(c.fn.BindBufferMemory(c.device, buffer.buffer_, buffer.memory_, 0), what);
  return buffer;
}

Buffer::~Buffer() { release(); }

void Buffer::reserve(std::string_view what) {
  Context &c = *context_;
  c.require_memory(size_bytes_, what); // two threads at once may both pass: then the driver decides
  c.allocated_bytes.fetch_add(size_bytes_);
  reserved_bytes_ = size_bytes_;
}

void Buffer::release() noexcept {
  if (context_) context_->allocated_bytes.fetch_sub(reserved_bytes_);
  reserved_bytes_ = 0;
  if (context_ && context_->may_destroy()) {
    if (buffer_) context_->fn.DestroyBuffer(context_->device, buffer_, nullptr);
    if (memory_) context_->fn.FreeMemory(context_->device, memory_, nullptr); // unmaps
  }
  buffer_ = VK_NULL_HANDLE;
  memory_ = VK_NULL_HANDLE;
}

void Buffer::swap(Buffer &other) noexcept {
  std::swap(context_, other.context_);
  std::swap(buffer_, other.buffer_);
  std::swap(memory_, other.memory_);
  std::swap(data_, other.data_);
  std::swap(size_bytes_, other.size_bytes_);
  std::swap(allocation_bytes_, other.allocation_bytes_);
  std::swap(reserved_bytes_, other.reserved_bytes_);
  std::swap(kind_, other.kind_);
  std::swap(coherent_, other.coherent_);
  std::swap(device_local_, other.device_local_);
}

VkMappedMemoryRange Buffer::mapped_range(uint64_t offset, uint64_t size_bytes) const {
  if (!data_ || offset > size_bytes_ || size_bytes > size_bytes_ - offset)
    fail(ErrorCode::Internal, "bytes ", offset, " + ", size_bytes, " of a mapped buffer of ",
         data_ ? size_bytes_ : 0);
  const AtomRange range =
      round_to_atoms(offset, size_bytes, context_->caps.non_coherent_atom_size, allocation_bytes_);
  auto mapped = structure<VkMappedMemoryRange>(VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE);
  mapped.memory = memory_;
  mapped.offset = range.offset;
  mapped.size = range.size_bytes;
  return mapped;
}

void Buffer::flush(uint64_t offset, uint64_t size_bytes) const {
  const VkMappedMemoryRange range = mapped_range(offset, size_bytes);
  if (coherent_ || size_bytes == 0) return;
  context_->check(context_->fn.FlushMappedMemoryRanges(context_->device, 1, &range),
                  "vkFlushMappedMemoryRanges");
}

void Buffer::invalidate(uint64_t offset, uint64_t size_bytes) const {
  const VkMappedMemoryRange range = mapped_range(offset, size_bytes);
  if (coherent_ || size_bytes == 0) return;
  context_->check(context_->fn.InvalidateMappedMemoryRanges(context_->device, 1, &range),
                  "vkInvalidateMappedMemoryRanges");
}

HeapStatus device_heap_status(const Context &context) {
  auto memory =
      structure<VkPhysicalDeviceMemoryProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
  auto budget = structure<VkPhysicalDeviceMemoryBudgetPropertiesEXT>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
  if (context.physical.has_memory_budget) memory.pNext = &budget;
  context.instance->fn().GetPhysicalDeviceMemoryProperties2(context.physical.handle, &memory);
  HeapStatus status;
  if (context.memory_is_forged()) {
    const uint64_t total = context.caps.device_memory_bytes;
    return {total, total, context.allocated_bytes.load()};
  }
  for (uint32_t i = 0; i < memory.memoryProperties.memoryHeapCount; ++i) {
    const VkMemoryHeap &heap = memory.memoryProperties.memoryHeaps[i];
    if (!(heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) || heap.size <= status.total_bytes) continue;
    status = {heap.size, heap.size, 0};
    if (context.physical.has_memory_budget) status = {heap.size, budget.heapBudget[i], budget.heapUsage[i]};
  }
  return status;
}

} // namespace fovea::vk
