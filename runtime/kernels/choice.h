// KernelChoice: what selection returns. A value.
#pragma once

#include "kernels/kernel_name.h"

#include <array>
#include <vector>

namespace fovea {

/// What a kernel reads its operands through: shaders/include/operands.glsl.
enum class Operands { Buffers, Texels };

/// A kernel, ready for a Dispatch but for its bindings and push constants.
struct KernelChoice {
  KernelId kernel{};
  std::vector<uint32_t> spec; // specialization constants 0, 1, 2 …; 0 is the workgroup size
  std::array<uint32_t, 3> groups{1, 1, 1};
  Operands operands = Operands::Buffers;
};

} // namespace fovea
