// Fence: one submit in flight, waited for in slices with a deadline and a cancel flag, never without end.
//
// Owns a VkFence, reused from submit to submit. Thread-safety: one thread at a time (one Fence per session).
// Throws from wait(): Timeout and Cancelled leave the work running and the fence pending, so the objects it
// uses must live on: wait again, or let the destructor wait. DeviceLost latches in the Context.
#pragma once

#include "vk/context.h"

#include <chrono>
#include <span>

namespace fovea::vk {

struct WaitOptions {
  std::chrono::milliseconds timeout{30'000};
  const std::atomic<bool> *cancel = nullptr; // looked at every slice
  std::chrono::milliseconds slice{20};
};

class Fence {
public:
  explicit Fence(std::shared_ptr<Context> context);
  /// Waits for pending work, 30 s at most; work that still runs then is abandoned: nothing it uses is
  /// destroyed.
  ~Fence();
  Fence(Fence &&other) noexcept;
  Fence(const Fence &) = delete;
  Fence &operator=(const Fence &) = delete;

  /// Submits command buffers (Recording::parts()) in order. The fence must not be pending. Allocates nothing.
  void submit(std::span<const VkCommandBuffer> parts);
  /// Returns when the submit is finished; at once when none is pending.
  void wait(const WaitOptions &options = {});
  bool pending() const { return pending_; }

private:
  std::shared_ptr<Context> context_;
  VkFence fence_ = VK_NULL_HANDLE;
  bool pending_ = false;
};

} // namespace fovea::vk
