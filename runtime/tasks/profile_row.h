// Where a task's GPU time goes. A value.
#pragma once

#include <cstdint>
#include <string>

namespace fovea {

/// GPU time of one statement's kernel, summed over all runs.
struct ProfileRow {
  std::string graph, statement, kernel;
  uint64_t n_runs = 0;
  double gpu_time_ns = 0;
  uint64_t flops = 0, bytes = 0; // of all runs
};

} // namespace fovea
