// Every kernel of a program by itself: time, and how much of what the device can do at most. One thread.
// Throws Internal when a kernel's outputs fail their check, and what KernelTimer throws.
#pragma once

#include "exec/device_bounds.h"
#include "exec/kernel_timer.h"

namespace fovea {

/// Another kernel for the same dispatch.
struct KernelAlternative {
  std::string kernel;
  KernelTime time;
};

/// Dispatches of one kernel at one shape: the same specialization, push constants and grid.
struct KernelRow {
  std::string statement; // of the first: "linear = enc.0.q"
  std::string kernel;    // "linear_subgroup_f16"
  std::string shapes;    // of its statement's tensors: "1x1500x384 f16:384x384 -> 1x1500x384"
  uint32_t n_dispatches = 0;
  KernelTime time;               // of one; they take turns, each on its own weights
  uint64_t flops = 0, bytes = 0; // that one must do and touch, each byte once
  double bound_s = 0;            // the least time of one by the device's bounds
  bool memory_bound = false;     // the bound is that of bytes, not of arithmetic
  double share = 0;              // of the sum over all rows, 0 … 1
  std::vector<KernelAlternative> alternatives;
  std::string op() const { return statement.substr(0, statement.find(' ')); }
  double gflop_per_s() const { return time.median_s > 0 ? double(flops) / time.median_s * 1e-9 : 0; }
  double gb_per_s() const { return time.median_s > 0 ? double(bytes) / time.median_s * 1e-9 : 0; }
  double part_of_bound() const { return time.median_s > 0 ? bound_s / time.median_s : 0; }
};

struct KernelBenchOptions {
  KernelTimer::Options timer;
  bool alternatives = false;
};

/// Most time first. `program` has its inputs and has run; its inputs and the session's states are the same
/// afterwards, its scratch is not.
std::vector<KernelRow> time_kernels(Session &session, const Program &program, const DeviceBounds &bounds,
                                    const KernelBenchOptions &options = {});

} // namespace fovea
