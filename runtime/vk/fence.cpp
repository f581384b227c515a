#include "vk/fence.h"

#include <algorithm>
#include <utility>

namespace fovea::vk {

Fence::Fence(std::shared_ptr<Context> context) : context_(std::move(context)) {
  context_->require_alive();
  const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
  context_->check(context_->fn.CreateFence(context_->device, &info, nullptr, &fence_), fence_,
                  "vkCreateFence");
}

Fence::Fence(Fence &&other) noexcept
    : context_(std::move(other.context_)), fence_(std::exchange(other.fence_, VK_NULL_HANDLE)),
      pending_(std::exchange(other.pending_, false)) {}

Fence::~Fence() {
  if (!context_) return; // moved from
  try {
    wait();
  } catch (const std::exception &error) {
    if (pending_ && !context_->lost()) context_->abandon(error.what());
  }
  if (context_->may_destroy()) context_->fn.DestroyFence(context_->device, fence_, nullptr);
}

void Fence::submit(std::span<const VkCommandBuffer> parts) {
  Context &c = *context_;
  c.require_alive();
  if (pending_) fail(ErrorCode::Internal, "submit with a fence whose last submit is still running");
  if (parts.empty()) return;
  c.check(c.fn.ResetFences(c.device, 1, &fence_), "vkResetFences");
  auto info = structure<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  info.commandBufferCount = uint32_t(parts.size());
  info.pCommandBuffers = parts.data();
  const std::lock_guard lock(c.queue_mutex);
  c.check(c.fn.QueueSubmit(c.queue, 1, &info, fence_), "vkQueueSubmit");
  pending_ = true;
}

void Fence::wait(const WaitOptions &options) {
  if (!pending_) return;
  Context &c = *context_;
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline = Clock::now() + options.timeout;
  for (;;) {
    if (c.lost()) {
      pending_ = false; // nothing runs on a lost device
      c.require_alive();
    }
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now());
    const auto slice = std::clamp<std::chrono::nanoseconds>(left, std::chrono::nanoseconds(0), options.slice);
    const VkResult result = c.fn.WaitForFences(c.device, 1, &fence_, VK_TRUE, uint64_t(slice.count()));
    if (result == VK_SUCCESS) {
      pending_ = false;
      return;
    }
    if (result == VK_ERROR_DEVICE_LOST) pending_ = false;
    if (result != VK_TIMEOUT) c.check(result, "vkWaitForFences");
    if (options.cancel && options.cancel->load(std::memory_order_relaxed))
      fail(ErrorCode::Cancelled, "cancelled while ", c.name(), " was working");
    if (left.count() <= 0)
      fail(ErrorCode::Timeout, c.name(), " did not finish within ", options.timeout.count(), " ms");
  }
}

} // namespace fovea::vk
