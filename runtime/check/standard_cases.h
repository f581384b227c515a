// The cases that `fovea doctor` runs without a model: every op at the sizes of real models (Whisper tiny, a
// small Llama, ViT, MobileNetV2, SegFormer …), with every encoding of its weights. Pure; thread-safe.
#pragma once

#include "check/kernel_case.h"

namespace fovea::check {

/// On a device with these limits, the preferred variants; those of ops that this library has.
/// other_variants() has the rest.
std::vector<KernelCase> standard_cases(const DeviceCaps &caps);

} // namespace fovea::check
