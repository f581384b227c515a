// The orders of preference that come with Fovea for drivers whose measurements (docs/kernels.md) contradict
// the general one. Pure; thread-safe.
#pragma once

#include "base/device_caps.h"
#include "kernels/choice.h"

namespace fovea {

void order_for_driver(const DeviceCaps &caps, const ChoiceKey &key, std::vector<KernelChoice> &choices);

} // namespace fovea
