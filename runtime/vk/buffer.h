// Buffer: a VkBuffer with memory of its own, mapped for its whole life where the host can see it.
//
// Owns the buffer and its memory (imported pages stay the caller's). Move-only; one thread at a time, but
// several may touch disjoint ranges of data(). Throws: OutOfMemory (how much, of what, what the heap holds),
// Unsupported (larger than one allocation may be on this device). Rejected: a suballocator. Weights, state,
// scratch and staging are a handful of allocations in all.
#pragma once

#include "vk/context.h"

#include <optional>
#include <span>

namespace fovea::vk {

enum class MemoryKind : uint8_t {
  Device,   // device local; data() is null
  Staging,  // host writes, device reads: uploads, step parameters
  Readback, // device writes, host reads: cached where possible
  Shared,   // device local and host visible where possible, else host visible
  Imported, // pages of the host, read-only: see import_host()
};
const char *to_string(MemoryKind kind);

/// A byte range widened to whole atoms of non-coherent memory, within `size` (what vkFlushMappedMemoryRanges
/// asks).
struct AtomRange {
  uint64_t offset, size_bytes;
};
AtomRange round_to_atoms(uint64_t offset, uint64_t size_bytes, uint64_t atom_bytes,
                         uint64_t allocation_bytes);

/// The memory types of `allowed` (a bit mask) that can serve `kind`, best first. Pure, for tests.
std::vector<uint32_t> rank_memory_types(const VkPhysicalDeviceMemoryProperties &memory, uint32_t allowed,
                                        MemoryKind kind);

class Buffer {
public:
  Buffer() = default;
  /// `what` names the use in errors: "weights", "scratch". Contents are undefined. size_bytes > 0.
  Buffer(std::shared_ptr<Context> context, MemoryKind kind, uint64_t size_bytes, std::string_view what);
  ~Buffer();
  Buffer(Buffer &&other) noexcept { swap(other); }
  Buffer &operator=(Buffer &&other) noexcept {
    swap(other);
    return *this;
  }

  /// A buffer over pages of the host, without a copy; nullopt (the reason is logged) when this driver cannot.
  /// `pages` must begin at a multiple of caps.host_pointer_alignment, outlive the buffer and stay readable up
  /// to the next multiple after their end (a MappedFile is). The device only reads them. size_bytes() is
  /// pages.size().
  static std::optional<Buffer> import_host(const std::shared_ptr<Context> &context,
                                           std::span<const std::byte> pages, std::string_view what);

  explicit operator bool() const { return buffer_ != VK_NULL_HANDLE; }
  VkBuffer handle() const { return buffer_; }
  uint64_t size_bytes() const { return size_bytes_; }
  MemoryKind kind() const { return kind_; }
  /// The host's view of size_bytes() bytes; null when the host has none.
  std::byte *data() const { return data_; }
  bool coherent() const { return coherent_; }
  bool device_local() const { return device_local_; }

  /// Makes host writes in the range visible to the device (before submit); nothing to do when coherent.
  void flush(uint64_t offset, uint64_t size_bytes) const;
  /// Makes device writes in the range visible to the host (after the wait); nothing to do when coherent.
  void invalidate(uint64_t offset, uint64_t size_bytes) const;

private:
  void swap(Buffer &other) noexcept;
  void reserve(std::string_view what);
  void release() noexcept;
  VkMappedMemoryRange mapped_range(uint64_t offset, uint64_t size_bytes) const;

  std::shared_ptr<Context> context_;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  std::byte *data_ = nullptr;
  uint64_t size_bytes_ = 0, allocation_bytes_ = 0, reserved_bytes_ = 0;
  MemoryKind kind_ = MemoryKind::Device;
  bool coherent_ = true, device_local_ = false;
};

/// Bytes of the largest device-local heap, and how many the system lets this process use now
/// (VK_EXT_memory_budget; budget = total and used = 0 where absent).
struct HeapStatus {
  uint64_t total_bytes = 0, budget_bytes = 0, used_bytes = 0;
};
HeapStatus device_heap_status(const Context &context);

} // namespace fovea::vk
