// The SPIR-V modules built into the library, by KernelId (generated from shaders/CMakeLists.txt). Constant
// data; thread-safe.
#pragma once

#include "kernels/kernel_id.h"
#include "kernels/kernel_name.h"
#include "kernels/params.h"

#include <cstddef>
#include <span>

namespace fovea {

/// The module's words.
std::span<const uint32_t> spirv(KernelId id);

} // namespace fovea
