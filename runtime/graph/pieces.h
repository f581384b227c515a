// How long a dispatch may take on a device, and how it is cut so that no watchdog fires: drivers reset a GPU
// whose work does not end for 0.25 s (some phones) to 10 s.
//
// Seconds are estimates from the speed that is assumed of a device (DeviceCaps::flops_per_s, bytes_per_s):
// arithmetic and bytes, whichever takes longer. Programs replace them by what they measure (exec/program.h),
// but a grid is cut once, when it is planned. Pure; thread-safe; nothing throws.
#pragma once

#include "base/device_caps.h"
#include "graph/dispatch.h"

namespace fovea {

inline constexpr double kMostSeconds = 0.03;      // of one launch
inline constexpr double kMostSubmitSeconds = 0.1; // of one submit

/// From its arithmetic and `touched`; of the whole grid, or of a piece of so many workgroups.
double estimated_seconds(const DeviceCaps &caps, const Dispatch &dispatch, uint64_t n_groups);
double estimated_seconds(const DeviceCaps &caps, const Dispatch &dispatch);

/// Arithmetic that a grid of so few workgroups may do in one launch, and bytes that it may read.
uint64_t most_flops(const DeviceCaps &caps, uint64_t n_groups);
uint64_t most_bytes(const DeviceCaps &caps, uint64_t n_groups);

/// A part of a grid: workgroups [base, base + groups).
struct Piece {
  std::array<uint32_t, 3> base{}, groups{};
  uint64_t n_groups() const { return uint64_t(groups[0]) * groups[1] * groups[2]; }
};

/// The grid in at least `n_pieces` parts, as far as it has workgroups to tell apart. A shader still sees
/// gl_WorkGroupID as in the whole grid, and gl_NumWorkGroups.x wherever it needs it: rows of a grid that is
/// more than one row high are never cut.
std::vector<Piece> cut(const std::array<uint32_t, 3> &groups, uint64_t n_pieces);

/// Into how many parts cut() shall divide it here: 1 where it is short enough, cannot be cut, or the device
/// launches whole grids only (DeviceCaps::dispatch_base).
uint32_t pieces_needed(const DeviceCaps &caps, const Dispatch &dispatch);

} // namespace fovea
