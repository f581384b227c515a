// Duty: how long the device works on each launch, by timestamps around it, and on each submit, by the clock:
// submits run one at a time, and the host waits for them.
//
// Beneath the other duties, which see nothing of the timestamps. Query pools last as long as their device.
#include "layer/work.h"

#include "layer/core.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <span>
#include <vector>

namespace fovea::layer {
namespace {

constexpr uint32_t kQueries = 4096; // of a pool

struct Launch {
  VkQueryPool pool = VK_NULL_HANDLE;
  uint32_t query = 0; // and the next: before and behind
  uint32_t groups[3] = {};
};

struct Pools {
  std::vector<VkQueryPool> all;
  uint32_t used = kQueries; // of the last
  double period_s = 0;      // of a tick; 0: no timestamps
};

WorkLimits limits_from_environment() {
  WorkLimits out;
  double launch_ms = 0, submit_ms = 0;
  if (std::sscanf(environment("FOVEA_LAYER_WORK"), "%lf:%lf", &launch_ms, &submit_ms) != 2) return out;
  return {true, launch_ms / 1e3, submit_ms / 1e3};
}

struct Work {
  std::mutex mutex; // guards all, and is held from a submit to its end
  WorkLimits limits = limits_from_environment();
  WorkCounts counts;
  std::map<VkCommandBuffer, std::vector<Launch>> recorded;
  std::map<VkDevice, Pools> pools;
};

Work &work() {
  static Work &all = *new Work; // outlives the application's own statics
  return all;
}

/// Two queries of a device; no pool where it has none. With the mutex held.
Launch reserve(Device &device) {
  const DeviceFunctions &below = device.below[kWork];
  auto [at, is_new] = work().pools.try_emplace(device.handle);
  Pools &pools = at->second;
  if (is_new) {
    VkPhysicalDeviceProperties properties{};
    instance_of(device.physical).below[kWork].GetPhysicalDeviceProperties(device.physical, &properties);
    if (properties.limits.timestampComputeAndGraphics)
      pools.period_s = double(properties.limits.timestampPeriod) * 1e-9;
  }
  if (pools.period_s == 0) return {};
  if (pools.used == kQueries) {
    auto info = vk::structure<VkQueryPoolCreateInfo>(VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO);
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = kQueries;
    VkQueryPool pool = VK_NULL_HANDLE;
    if (below.CreateQueryPool(device.handle, &info, nullptr, &pool) != VK_SUCCESS) return {};
    pools.all.push_back(pool);
    pools.used = 0;
  }
  pools.used += 2;
  return {pools.all.back(), pools.used - 2, {}};
}

template <class Body> void timed(VkCommandBuffer commands, uint32_t x, uint32_t y, uint32_t z, Body &&body) {
  Device &device = device_of(commands);
  const DeviceFunctions &below = device.below[kWork];
  Launch launch;
  {
    const std::lock_guard lock(work().mutex);
    if (work().limits.on) {
      launch = reserve(device);
      launch.groups[0] = x, launch.groups[1] = y, launch.groups[2] = z;
      work().recorded[commands].push_back(launch);
    }
  }
  if (!launch.pool) return body(below);
  below.CmdResetQueryPool(commands, launch.pool, launch.query, 2);
  below.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, launch.pool, launch.query);
  body(below);
  below.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, launch.pool, launch.query + 1);
}

void dispatch(VkCommandBuffer commands, uint32_t x, uint32_t y, uint32_t z) {
  timed(commands, x, y, z, [&](const DeviceFunctions &below) { below.CmdDispatch(commands, x, y, z); });
}

void dispatch_base(VkCommandBuffer commands, uint32_t bx, uint32_t by, uint32_t bz, uint32_t x, uint32_t y,
                   uint32_t z) {
  timed(commands, x, y, z,
        [&](const DeviceFunctions &below) { below.CmdDispatchBase(commands, bx, by, bz, x, y, z); });
}

VkResult begin(VkCommandBuffer commands, const VkCommandBufferBeginInfo *info) {
  {
    const std::lock_guard lock(work().mutex);
    work().recorded.erase(commands);
  }
  return device_of(commands).below[kWork].BeginCommandBuffer(commands, info);
}

void note(double &longest, double seconds, double most, const std::string &what) {
  longest = std::max(longest, seconds);
  if (most > 0 && seconds > most)
    report(concat(what, " took ", uint64_t(seconds * 1e3), " ms, more than ", uint64_t(most * 1e3)));
}

// With the mutex held.
void read_launches(Device &device, std::span<const VkCommandBuffer> all) {
  Work &w = work();
  for (const VkCommandBuffer commands : all)
    for (const Launch &launch : w.recorded[commands]) {
      ++w.counts.n_launches;
      uint64_t ticks[2] = {};
      if (!launch.pool ||
          device.below[kWork].GetQueryPoolResults(device.handle, launch.pool, launch.query, 2, sizeof ticks,
                                                  ticks, sizeof *ticks, VK_QUERY_RESULT_64_BIT) != VK_SUCCESS)
        continue;
      ++w.counts.n_timed;
      const double seconds = double(ticks[1] - ticks[0]) * w.pools.at(device.handle).period_s;
      w.counts.launches_s += seconds;
      note(w.counts.longest_launch_s, seconds, w.limits.most_launch_s,
           concat("a launch of ", launch.groups[0], "x", launch.groups[1], "x", launch.groups[2], " groups"));
    }
}

VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *infos, VkFence fence) {
  using Clock = std::chrono::steady_clock;
  Device &device = device_of(queue);
  const DeviceFunctions &below = device.below[kWork];
  Work &w = work();
  std::unique_lock lock(w.mutex);
  if (!w.limits.on) {
    lock.unlock();
    return below.QueueSubmit(queue, count, infos, fence);
  }
  below.DeviceWaitIdle(device.handle);
  const auto begin = Clock::now();
  const VkResult result = below.QueueSubmit(queue, count, infos, fence);
  if (result != VK_SUCCESS || below.DeviceWaitIdle(device.handle) != VK_SUCCESS) return result;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  ++w.counts.n_submits;
  note(w.counts.longest_submit_s, seconds, w.limits.most_submit_s, "a submit");
  for (uint32_t i = 0; i < count; ++i)
    read_launches(device, std::span(infos[i].pCommandBuffers, infos[i].commandBufferCount));
  return result;
}

void destroy_device(VkDevice handle, const VkAllocationCallbacks *allocator) {
  const DeviceFunctions &below = device_of(handle).below[kWork];
  {
    const std::lock_guard lock(work().mutex);
    for (const VkQueryPool pool : work().pools[handle].all) below.DestroyQueryPool(handle, pool, nullptr);
    work().pools.erase(handle);
  }
  below.DestroyDevice(handle, allocator);
}

} // namespace

void attach_work(DeviceFunctions &table) {
  table.CmdDispatch = dispatch;
  table.CmdDispatchBase = dispatch_base;
  table.BeginCommandBuffer = begin;
  table.QueueSubmit = submit;
  table.DestroyDevice = destroy_device;
}

void measure_work(const WorkLimits &limits) {
  const std::lock_guard lock(work().mutex);
  work().limits = limits;
  work().counts = {};
}

WorkCounts work_counts() {
  const std::lock_guard lock(work().mutex);
  return work().counts;
}

void reset_work() { measure_work({}); }

} // namespace fovea::layer
