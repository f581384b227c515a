#include "graph/pieces.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr double kLaunchSeconds = 1e-5;

struct Counts {
  uint64_t x, y, z;
};

/// Into how many parts each side is cut.
Counts counts(const std::array<uint32_t, 3> &groups, uint64_t n_pieces) {
  const uint64_t z = std::clamp<uint64_t>(n_pieces, 1, groups[2]);
  const uint64_t per_slice = (n_pieces + z - 1) / z;
  const uint64_t y = std::clamp<uint64_t>(per_slice, 1, groups[1]);
  const uint64_t x = groups[1] == 1 ? std::clamp<uint64_t>(per_slice, 1, groups[0]) : 1;
  return {x, y, z};
}

uint64_t product(const std::array<uint32_t, 3> &groups) {
  return uint64_t(groups[0]) * groups[1] * groups[2];
}

/// Few workgroups leave a part of the device idle: one has an eighth of a fast device, and most of a slow
/// one.
double flops_per_s(const DeviceCaps &caps, uint64_t n_groups) {
  constexpr double kLeast = 2e9;
  const double all = double(caps.flops_per_s), one = std::max(all / 8, std::min(all, kLeast));
  return std::min(all, double(n_groups) * one);
}

/// Nor do they have the memory's speed: they wait for what they read.
double bytes_per_s(const DeviceCaps &caps, uint64_t n_groups) {
  constexpr double kLeast = 6e8;
  const double all = double(caps.bytes_per_s), one = std::max(all / 8, std::min(all, kLeast));
  return std::min(all, double(n_groups) * one);
}

/// What a kernel reads of a binding: not the whole table when it picks a few rows of it. Each number read is
/// worth at least one operation or one number written.
double bytes_of(const Dispatch &dispatch) {
  if (dispatch.bytes > 0) return double(dispatch.bytes);
  double read = 0, written = 0;
  for (const Binding &b : dispatch.touched) (b.access == Access::Read ? read : written) += double(b.bytes);
  return written + std::min(read, std::max(4 * double(dispatch.flops), written));
}

/// Begin of part i of n of a range.
uint32_t mark(uint32_t size, uint64_t i, uint64_t n) { return uint32_t(size * i / n); }

} // namespace

double estimated_seconds(const DeviceCaps &caps, const Dispatch &dispatch, uint64_t n_groups) {
  const double part = double(n_groups) / double(product(dispatch.groups));
  return kLaunchSeconds + part * std::max(double(dispatch.flops) / flops_per_s(caps, n_groups),
                                          bytes_of(dispatch) / bytes_per_s(caps, n_groups));
}

double estimated_seconds(const DeviceCaps &caps, const Dispatch &dispatch) {
  return estimated_seconds(caps, dispatch, product(dispatch.groups));
}

uint64_t most_flops(const DeviceCaps &caps, uint64_t n_groups) {
  return uint64_t((kMostSeconds - kLaunchSeconds) * flops_per_s(caps, n_groups));
}

uint64_t most_bytes(const DeviceCaps &caps, uint64_t n_groups) {
  return uint64_t((kMostSeconds - kLaunchSeconds) * bytes_per_s(caps, n_groups));
}

std::vector<Piece> cut(const std::array<uint32_t, 3> &groups, uint64_t n_pieces) {
  const auto [nx, ny, nz] = counts(groups, n_pieces);
  std::vector<Piece> out;
  for (uint64_t z = 0; z < nz; ++z)
    for (uint64_t y = 0; y < ny; ++y)
      for (uint64_t x = 0; x < nx; ++x) {
        Piece piece{{mark(groups[0], x, nx), mark(groups[1], y, ny), mark(groups[2], z, nz)},
                    {mark(groups[0], x + 1, nx), mark(groups[1], y + 1, ny), mark(groups[2], z + 1, nz)}};
        for (size_t i = 0; i < 3; ++i) piece.groups[i] -= piece.base[i];
        out.push_back(piece);
      }
  return out;
}

uint32_t pieces_needed(const DeviceCaps &caps, const Dispatch &dispatch) {
  if (!caps.dispatch_base) return 1;
  const auto &g = dispatch.groups;
  for (uint64_t n = caps.least_pieces;; ++n) {
    const auto [nx, ny, nz] = counts(g, n);
    const uint64_t largest = ((g[0] - 1) / nx + 1) * ((g[1] - 1) / ny + 1) * ((g[2] - 1) / nz + 1);
    if (nx * ny * nz < n || estimated_seconds(caps, dispatch, largest) <= kMostSeconds)
      return uint32_t(nx * ny * nz);
  }
}

} // namespace fovea
