// Duty: fences are seen signalled late, or never.
#include "layer/fences.h"

#include "layer/core.h"
#include "layer/interface.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

namespace fovea::layer {
namespace {

using Clock = std::chrono::steady_clock;

uint32_t delay_from_environment() {
  const std::string_view text = environment("FOVEA_LAYER_FENCE_DELAY_MS");
  return text == "never" ? kNever : uint32_t(std::atoi(text.data()));
}

struct Fences {
  std::atomic<uint32_t> delay_ms{delay_from_environment()};
  std::mutex mutex;
  std::map<VkFence, Clock::time_point> submitted;
};

Fences &fences() {
  static Fences &all = *new Fences; // outlives the application's own statics
  return all;
}

/// How long it must still look unsignalled.
std::chrono::nanoseconds left(VkFence fence) {
  const uint32_t ms = fences().delay_ms;
  if (ms == 0) return {};
  const std::lock_guard lock(fences().mutex);
  const auto at = fences().submitted.find(fence);
  if (at == fences().submitted.end()) return {};
  if (ms == kNever) return std::chrono::hours(1);
  return std::max<std::chrono::nanoseconds>(at->second + std::chrono::milliseconds(ms) - Clock::now(), {});
}

VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *infos, VkFence fence) {
  const VkResult result = device_of(queue).below[kFences].QueueSubmit(queue, count, infos, fence);
  const std::lock_guard lock(fences().mutex);
  if (result == VK_SUCCESS && fence) fences().submitted[fence] = Clock::now();
  return result;
}

VkResult wait(VkDevice device, uint32_t count, const VkFence *all, VkBool32 wait_all, uint64_t timeout_ns) {
  std::chrono::nanoseconds longest{};
  for (uint32_t i = 0; i < count; ++i) longest = std::max(longest, left(all[i]));
  const std::chrono::nanoseconds timeout{int64_t(std::min<uint64_t>(timeout_ns, INT64_MAX))};
  std::this_thread::sleep_for(std::min(longest, timeout));
  if (longest > timeout) return VK_TIMEOUT;
  return device_of(device).below[kFences].WaitForFences(device, count, all, wait_all,
                                                        uint64_t((timeout - longest).count()));
}

VkResult status(VkDevice device, VkFence fence) {
  return left(fence).count() > 0 ? VK_NOT_READY
                                 : device_of(device).below[kFences].GetFenceStatus(device, fence);
}

VkResult reset(VkDevice device, uint32_t count, const VkFence *all) {
  const VkResult result = device_of(device).below[kFences].ResetFences(device, count, all);
  const std::lock_guard lock(fences().mutex);
  for (uint32_t i = 0; i < count; ++i) fences().submitted.erase(all[i]);
  return result;
}

void destroy(VkDevice device, VkFence fence, const VkAllocationCallbacks *allocator) {
  {
    const std::lock_guard lock(fences().mutex);
    fences().submitted.erase(fence);
  }
  device_of(device).below[kFences].DestroyFence(device, fence, allocator);
}

} // namespace

void attach_fences(DeviceFunctions &table) {
  table.QueueSubmit = submit;
  table.WaitForFences = wait;
  table.GetFenceStatus = status;
  table.ResetFences = reset;
  table.DestroyFence = destroy;
}

void delay_fences(uint32_t ms) { fences().delay_ms = ms; }
void reset_fences() { fences().delay_ms = 0; }

} // namespace fovea::layer
