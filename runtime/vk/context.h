// Context: the opened VkDevice, its queue, its limits and whether it is lost: what Buffer, Kernel, Recording
// and Fence share. They hold it by shared_ptr, so the VkDevice outlives them in whatever order they are
// destroyed.
//
// Thread-safety: constant after construction but for `lost` (atomic) and the queue (behind its mutex).
// Throws: OutOfMemory, DeviceLost, Internal through check().
// Rejected: each object with a Device& (destruction order becomes every caller's concern).
#pragma once

#include "vk/caps_query.h"

#include <atomic>
#include <memory>
#include <mutex>

namespace fovea::vk {

/// Optional features to enable; those the device lacks stay off, and caps say so.
struct Features {
  bool f16 = false, int8 = false, storage_16bit = false, integer_dot_product = false;
};

struct Context {
  std::unique_ptr<Instance> instance;
  PhysicalDevice physical; // as the driver said
  DeviceCaps caps;         // what may be used: enabled features only, without what vk/adjust.h takes
  VkDevice device = VK_NULL_HANDLE;
  DeviceFunctions fn;
  VkQueue queue = VK_NULL_HANDLE;
  std::mutex queue_mutex; // held around vkQueueSubmit

  Context(std::unique_ptr<Instance> instance, PhysicalDevice physical, DeviceCaps caps,
          const Features &features);
  ~Context();
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;

  std::atomic<uint64_t> allocated_bytes{0}; // by Buffers, imported pages aside

  /// True when adjust_caps or a limit pretends to less memory than there is; Buffers then keep within it.
  bool memory_is_forged() const { return caps.device_memory_bytes < physical.memory_bytes; }
  /// What Buffers may take in all: the forged amount, else all heaps (what does not fit the device's own goes
  /// to the host's, where there is another).
  uint64_t memory_limit_bytes() const;
  /// Error OutOfMemory, with sizes, when `bytes` more would pass the limit: to be asked before many
  /// allocations.
  void require_memory(uint64_t bytes, std::string_view what) const;
  const std::string &name() const { return caps.name; }

  /// Throws unless `result` is VK_SUCCESS: DeviceLost (and latches), OutOfMemory or Internal, naming `what`
  /// and device.
  void check(VkResult result, std::string_view what);
  /// check(), and Internal when a driver reports success with a null handle (seen in the field). By
  /// reference: the call that gives `result` also sets the handle, and arguments are evaluated in any order.
  template <class Handle> void check(VkResult result, const Handle &handle, std::string_view what) {
    check(result, what);
    if (handle == VK_NULL_HANDLE) fail_null(what);
  }
  [[noreturn]] void fail_null(std::string_view what) const;

  bool lost() const { return lost_.load(std::memory_order_acquire); }
  /// Latches: every later submit and wait throws DeviceLost.
  void mark_lost(std::string_view why);
  /// Error DeviceLost when lost.
  void require_alive() const;
  /// False when work that never finished may still use our objects: destructors then leak rather than
  /// destroy.
  bool may_destroy() const { return !abandoned_.load(std::memory_order_acquire); }
  void abandon(std::string_view why);

private:
  std::atomic<bool> lost_{false}, abandoned_{false};
};

} // namespace fovea::vk
