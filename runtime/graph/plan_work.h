// What each dispatch of a plan must do in a submit with certain step values: arithmetic, and bytes, each
// counted once however often the kernel touches it. A cache that is read as far as it is filled, rows of a
// table, rows stored into a state count as what they are, not as their whole binding. For measurements. Pure;
// thread-safe. Throws what infer_types() throws.
#pragma once

#include "graph/plan.h"

namespace fovea {

struct DispatchWork {
  uint64_t flops = 0, bytes = 0;
  /// What the statement computes; stored rows have the state's encoding.
  TensorType result;
  bool stores = false; // into a state
  bool sole = true;    // nothing else is dispatched for the statement
  /// Its tensors: "1x1500x384 f16:384x384 -> 1x1500x384".
  std::string shapes;
};

/// By dispatch.
std::vector<DispatchWork> plan_work(const Graph &graph, const Plan &plan, const WeightLookup &weights,
                                    const StateLayout &states,
                                    const std::function<uint32_t(const std::string &step)> &steps);

} // namespace fovea
