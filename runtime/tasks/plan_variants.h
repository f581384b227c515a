// The dispatches of a plan for measurements: which of them are the same work, and by which other kernels each
// could be done. One thread; the session outlives it. Throws what make_plan() throws.
#pragma once

#include "exec/kernel_timer.h"

namespace fovea {

/// Dispatches of one kernel at one shape: the same specialization, push constants and grid.
struct DispatchGroup {
  size_t first = 0;  // of the plan's dispatches
  LaunchCycle cycle; // the first one, on the weights of each in turn
};
std::vector<DispatchGroup> dispatch_groups(const Plan &plan);
/// `other`, on the weights that the dispatches of a cycle have.
LaunchCycle cycle_of(const Dispatch &other, const LaunchCycle &cycle);

class PlanVariants {
public:
  PlanVariants(const Session &session, const Plan &plan);
  /// What else selection admits for a dispatch, in its order of preference.
  std::vector<Dispatch> others(size_t dispatch) const;

private:
  const Plan &plan_;
  std::vector<Plan> plans_; // each with another variant of every choice, as far as there are any
};

/// Whether two variants' results, which are the same sums in another order, are further apart than rounding
/// explains.
bool differs(std::span<const std::byte> got, std::span<const std::byte> expected);

} // namespace fovea
