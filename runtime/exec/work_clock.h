// WorkClock: the time that work took on a device: by the clock on the wall and, on a software driver, also as
// the process's CPU time spread over the machine's cores, which other programs on the machine disturb less. A
// value; one thread at a time, and nothing else of the process may work meanwhile. Nothing throws.
#pragma once

#include "base/device_caps.h"

#include <chrono>
#include <span>

namespace fovea {

class WorkClock {
public:
  using Wall = std::chrono::steady_clock;
  struct Seconds {
    double wall = 0;
    double cpu = 0; // process CPU time / cores; as `wall` where the device is no software
  };

  explicit WorkClock(const DeviceCaps &caps) : uses_cpu_(caps.type == DeviceType::Software) { start(); }

  void start();
  /// Since start().
  Seconds elapsed() const;
  /// Whether `cpu` is CPU time.
  bool uses_cpu() const { return uses_cpu_; }

private:
  bool uses_cpu_;
  Wall::time_point wall_begin_;
  double cpu_begin_ = 0;
};

/// Seconds since `begin`.
inline double seconds_since(WorkClock::Wall::time_point begin) {
  return std::chrono::duration<double>(WorkClock::Wall::now() - begin).count();
}

/// 0 of nothing.
double median(std::span<const double> values);

} // namespace fovea
