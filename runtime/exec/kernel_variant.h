// From a planned dispatch to the pipeline it needs. Pure; thread-safe.
#pragma once

#include "base/device_caps.h"
#include "graph/dispatch.h"
#include "vk/kernel.h"

namespace fovea {

/// Kernels that use subgroup operations get the subgroup size that selection counted on.
vk::KernelVariant kernel_variant(const DeviceCaps &caps, const Dispatch &dispatch);

} // namespace fovea
