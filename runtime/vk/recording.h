// Recorder: collects dispatches, barriers and copies. Recording: the command buffers, descriptor sets and
// timestamps made from them, submitted as often as wanted.
//
// A Recording owns its pools; buffers and kernels stay the caller's and must outlive it. Destroy it only when
// no submit of it is pending. Thread-safety: one thread at a time. Throws: Internal (a dispatch does not fit
// its kernel), OutOfMemory. Commands are collected first so that the descriptor pool is exactly as large as
// needed and equal sets are shared. Rejected: one-time command buffers, push descriptors (optional),
// update-after-bind (optional).
#pragma once

#include "vk/kernel.h"

namespace fovea::vk {

struct DispatchCommand {
  const Kernel *kernel = nullptr;
  std::vector<Binding> bindings;
  std::vector<std::byte> push_constants;
  std::array<uint32_t, 3> groups = {1, 1, 1}; // ignored when `indirect` is set
  std::array<uint32_t, 3> base = {0, 0, 0};   // the first group; others than 0 for kernels in pieces only
  const Buffer *indirect = nullptr;           // three uint32 at indirect_offset (a multiple of 4)
  uint64_t indirect_offset = 0;
};

/// What must be finished, and visible, before what follows. Combine with |.
enum class Hazard : uint32_t {
  None = 0,
  ComputeToCompute = 1,  // a shader's writes → shaders' reads and writes, indirect arguments included
  ComputeToHost = 2,     // a shader's writes → the host, after the wait
  ComputeToTransfer = 4, // a shader's reads and writes → copies
  TransferToCompute = 8, // copies → shaders
  TransferToHost = 16,   // copies → the host, after the wait
  TransferToTransfer = 32,
  HostToDevice =
      64, // the host's writes during the submit's wait only: a submit makes earlier ones visible by itself
};
constexpr Hazard operator|(Hazard a, Hazard b) { return Hazard(uint32_t(a) | uint32_t(b)); }
constexpr bool contains(Hazard set, Hazard bit) { return (uint32_t(set) & uint32_t(bit)) != 0; }

/// When a dispatch ran, in ns on the device's clock.
struct DispatchTime {
  double begin_ns = 0, end_ns = 0;
};

class Recording {
public:
  Recording() = default;
  ~Recording();
  Recording(Recording &&other) noexcept { swap(other); }
  Recording &operator=(Recording &&other) noexcept {
    swap(other);
    return *this;
  }

  explicit operator bool() const { return command_pool_ != VK_NULL_HANDLE; }
  /// The command buffers, in order; submit any run of them. Parts are split by Recorder::split().
  std::span<const VkCommandBuffer> parts() const { return parts_; }
  uint32_t n_dispatches() const { return n_dispatches_; }
  bool has_timestamps() const { return query_pool_ != VK_NULL_HANDLE; }
  /// Times of dispatches [first, first + out.size()) in the last finished submit of their parts. Error
  /// Unsupported without timestamps, Internal when those parts have not run.
  void read_times(uint32_t first, std::span<DispatchTime> out) const;

private:
  friend class Recorder;
  void swap(Recording &other) noexcept;

  std::shared_ptr<Context> context_;
  VkCommandPool command_pool_ = VK_NULL_HANDLE;
  VkDescriptorPool descriptor_pool_ = VK_NULL_HANDLE;
  VkQueryPool query_pool_ = VK_NULL_HANDLE;
  std::vector<VkBufferView> views_;
  std::vector<VkCommandBuffer> parts_;
  uint32_t n_dispatches_ = 0;
};

class Recorder {
public:
  /// `timestamps`: time every dispatch, where the device can (Recording::has_timestamps() tells).
  explicit Recorder(std::shared_ptr<Context> context, bool timestamps = false);

  /// Checks the command against its kernel (Kernel::check) and against the device's grid limits.
  void dispatch(DispatchCommand command);
  void barrier(Hazard hazards);
  void copy(const Buffer &from, uint64_t from_offset, const Buffer &to, uint64_t to_offset,
            uint64_t size_bytes);
  /// Offset and size multiples of 4.
  void fill(const Buffer &buffer, uint64_t offset, uint64_t size_bytes, uint32_t value);
  /// What follows goes into another part. Barriers reach across parts submitted to one device in order.
  void split();
  /// Records it all. The Recorder is empty afterwards.
  Recording finish();

private:
  enum class Kind : uint8_t { Dispatch, Barrier, Copy, Fill, Split };
  struct Command {
    Kind kind;
    uint32_t dispatch = 0; // index into dispatches_
    Hazard hazards = Hazard::None;
    VkBuffer from = VK_NULL_HANDLE, to = VK_NULL_HANDLE;
    VkBufferCopy region{};
    uint32_t value = 0;
  };
  std::vector<VkDescriptorSet> make_descriptor_sets(Recording &recording) const; // one per dispatch
  void write_descriptor_set(Recording &recording, const DispatchCommand &command, VkDescriptorSet set) const;
  void record_dispatch(VkCommandBuffer commands, uint32_t index, VkDescriptorSet set,
                       VkQueryPool queries) const;
  void record_part(const Recording &recording, std::span<const Command> part, VkCommandBuffer commands,
                   std::span<const VkDescriptorSet> sets) const;

  std::shared_ptr<Context> context_;
  bool timestamps_;
  std::vector<DispatchCommand> dispatches_;
  std::vector<Command> commands_;
};

} // namespace fovea::vk
