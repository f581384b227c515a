// DeviceBounds: what a device can do at most, measured on it by kernels of our own (shaders/measure_*.comp,
// of which the best form counts): bytes read and multiplications with additions a second. Bandwidth is
// measured over working sets of several sizes, since what fits a cache is read faster than memory is; the
// largest is beyond every cache where the device has room for it.
//
// A value. measure_bounds(): one thread, about two seconds, nothing else on the device meanwhile. Throws
// Internal when a kernel computes something else than it should, OutOfMemory, DeviceLost, Cancelled.
#pragma once

#include "exec/work_clock.h"
#include "vk/device.h"

#include <atomic>

namespace fovea {

struct DeviceBounds {
  struct Bandwidth {
    uint64_t working_set_bytes = 0;
    double bytes_per_s = 0;
  };
  std::vector<Bandwidth> bandwidth; // by size, ascending; never rising with it
  double flops_per_s = 0;           // f32; a multiplication with an addition is two
  double launch_s = 0; // a dispatch that does next to nothing and the barrier after it, by the wall's clock

  /// Of memory: of the largest working set.
  double memory_bytes_per_s() const { return bandwidth.empty() ? 0 : bandwidth.back().bytes_per_s; }
  /// Interpolated.
  double bytes_per_s(uint64_t working_set_bytes) const;
  /// The least time for that much, when bytes and arithmetic overlap entirely.
  double seconds(uint64_t bytes, uint64_t flops, uint64_t working_set_bytes) const {
    return std::max(double(bytes) / bytes_per_s(working_set_bytes), double(flops) / flops_per_s);
  }
};

DeviceBounds measure_bounds(vk::Device &device, const std::atomic<bool> *cancel = nullptr);

} // namespace fovea
