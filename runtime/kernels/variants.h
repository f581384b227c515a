// Collecting the admissible variants of a kernel family: what select_linear.cpp and select_attention.cpp
// share. Pure; thread-safe.
#pragma once

#include "base/checked.h"
#include "base/device_caps.h"
#include "base/error.h"
#include "kernels/catalogue.h"
#include "kernels/choice.h"
#include "kernels/select_row.h"
#include "kernels/tuning.h"

#include <algorithm>

namespace fovea {

struct Variants {
  const DeviceCaps &caps;
  std::vector<KernelChoice> choices{};

  /// Both, the faster one first.
  std::array<Operands, 2> operands() const {
    if (caps.fast_texels()) return {Operands::Texels, Operands::Buffers};
    return {Operands::Buffers, Operands::Texels};
  }

  /// Adds the variant unless it is disabled or over a limit of the device. A kernel's tile number is
  /// x + y * groups.x, since a dimension ends at 65,535.
  void add(VariantId id, std::vector<uint32_t> spec, uint64_t n_tiles, uint64_t shared_bytes = 0,
           Operands operands = Operands::Buffers) {
    const auto [kernel, tile] = id;
    const uint32_t local_size = spec[0];
    if (caps.disabled_kernels.count(uint32_t(kernel)) != 0) return;
    if (local_size > caps.max_workgroup_invocations || local_size > caps.max_workgroup_size[0]) return;
    if (shared_bytes > caps.max_shared_memory_bytes) return;
    if (const auto groups = try_fold_groups(caps, n_tiles))
      choices.push_back({kernel, std::move(spec), *groups, operands, tile});
  }

  /// The preferred one. Error Unsupported when nothing was added.
  KernelChoice first(const std::string &what) {
    if (choices.empty())
      fail(ErrorCode::Unsupported, what, ": no kernel for it works on ", caps.name,
           " (fovea doctor shows which are disabled, and why)");
    return std::move(choices.front());
  }
};

} // namespace fovea
