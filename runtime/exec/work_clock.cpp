#include "exec/work_clock.h"

#include <algorithm>
#include <ctime>
#include <thread>
#include <vector>

namespace fovea {
namespace {

double process_cpu_s() { return double(std::clock()) / CLOCKS_PER_SEC; }

} // namespace

void WorkClock::start() {
  wall_begin_ = Wall::now();
  cpu_begin_ = process_cpu_s();
}

WorkClock::Seconds WorkClock::elapsed() const {
  const double wall = seconds_since(wall_begin_);
  const double n_cores = std::max(1u, std::thread::hardware_concurrency());
  return {wall, uses_cpu_ ? (process_cpu_s() - cpu_begin_) / n_cores : wall};
}

double median(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const size_t n = sorted.size();
  return n == 0 ? 0 : n % 2 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
}

} // namespace fovea
