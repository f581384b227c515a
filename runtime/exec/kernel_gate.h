// KernelGate: asked before the kernels of a plan run for the first time, so that one that this driver
// compiles wrongly, or crashes on, is routed around. A device has one, or none (vk::Device::set_gate()); the
// folder check/ has the one that tries kernels. Any number of threads. Throws nothing but OutOfMemory.
#pragma once

#include "graph/plan.h"
#include "vk/device.h"

namespace fovea {

/// A plan with what it was made of.
struct PlannedGraph {
  const Graph &graph;
  const Plan &plan;
  const WeightLookup &weights;
  const DeviceCaps &caps;
};

class KernelGate {
public:
  virtual ~KernelGate() = default;
  /// Says that the plan will be wanted: what is not known of its kernels is found out with the next admit().
  /// Whether nothing is missing, so that they may be created now.
  virtual bool expect(const PlannedGraph &planned) = 0;
  /// The kernels of the plan that must not run on the device, with the reasons.
  virtual std::vector<vk::KernelFailure> admit(const std::shared_ptr<vk::Device> &device,
                                               const PlannedGraph &planned) = 0;
};

} // namespace fovea
