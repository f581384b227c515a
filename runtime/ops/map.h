// What the small ops share: the size check of infer() and the launch of map kernels
// (shaders/include/map.glsl). Map kernels have a base variant only: invocations do not talk to each other, so
// subgroup operations have nothing to offer. Pure; thread-safe. Errors Unsupported.
#pragma once

#include "base/checked.h"
#include "graph/lowering.h"
#include "kernels/catalogue.h"

namespace fovea {

/// Elements of a tensor that a kernel's 32-bit indices reach with room for a workgroup's overhang.
inline constexpr uint64_t kMaxElements = 1ull << 31;

/// Every infer() calls this for each tensor that its kernel indexes.
inline void require_indexable(const Shape &shape, const char *operand) {
  const uint64_t n = shape.elements();
  if (n == 0 || n > kMaxElements)
    fail(ErrorCode::Unsupported, operand, " ", shape, " has ", n, " elements; kernels take 1 to ",
         kMaxElements, ", so split it in the graph");
}

/// Elements of an invocation: kMapRun of map.glsl.
inline constexpr uint64_t kMapRun = 4;

/// Launch of a map kernel over n elements; `spec` follows the workgroup size as constants 1, 2 …
inline KernelChoice map_kernel(const DeviceCaps &caps, uint64_t n, KernelId kernel,
                               std::vector<uint32_t> spec = {}) {
  KernelChoice choice = select_map_kernel(caps, div_up(n, kMapRun), kernel);
  choice.spec.insert(choice.spec.end(), spec.begin(), spec.end());
  return choice;
}

} // namespace fovea
