// Selection for kernels that work row by row, one workgroup a row: layer_norm, softmax … Pure; thread-safe.
#pragma once

#include "base/device_caps.h"
#include "kernels/choice.h"

#include <optional>

namespace fovea {

/// Every admissible choice among a base kernel (shared-memory reduction) and its subgroup variant, best
/// first. Error Unsupported when there is none.
std::vector<KernelChoice> row_kernel_variants(const DeviceCaps &caps, uint64_t n_rows, uint64_t row_length,
                                              KernelId base, KernelId subgroup);
/// The first of row_kernel_variants().
KernelChoice select_row_kernel(const DeviceCaps &caps, uint64_t n_rows, uint64_t row_length, KernelId base,
                               KernelId subgroup);
/// One invocation per element, `base` only: workgroups of 64.
KernelChoice select_map_kernel(const DeviceCaps &caps, uint64_t n_elements, KernelId base);

/// n workgroups folded over x and y, since a dimension ends at 65,535. Kernels rebuild the index as
/// x + y * gl_NumWorkGroups.x and return when it is past n.
std::optional<std::array<uint32_t, 3>> try_fold_groups(const DeviceCaps &caps, uint64_t n);
/// Error Unsupported when they are more than the device takes.
std::array<uint32_t, 3> fold_groups(const DeviceCaps &caps, uint64_t n);

} // namespace fovea
