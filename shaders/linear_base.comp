// linear, any shape on any device: each invocation keeps a tile of kRows x kCols sums in registers and reads x and W
// straight from memory. Invocations run over columns first, then over rows.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "kernel.glsl"
#ifdef CONV2D
#include "conv2d.glsl"
#else
#include "linear.glsl"
#endif
#include "weights.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const uint kRows = 4u;
layout(constant_id = 8) const uint kCols = 4u;  // even
layout(constant_id = 9) const uint kLanesN = 8u; // invocations along N; the others run along rows

void main() {
  const uint lanes_m = gl_WorkGroupSize.x / kLanesN;
  const uint tile_m = kRows * lanes_m, tile_n = kCols * kLanesN;
  const uint tiles_m = (p.n_rows + tile_m - 1u) / tile_m;
  const uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint lane = gl_LocalInvocationIndex;
  const uint n0 = tile / tiles_m * tile_n + lane % kLanesN * kCols;
  const uint row0 = tile % tiles_m * tile_m + lane / kLanesN * kRows;
  if (row0 >= p.n_rows || n0 >= p.n_cols) return;

  // What lies past the edge computes the last row or column again and is not stored.
  X_ROW from[kRows];
  uint col[kCols];
  float sum[kRows * kCols];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) from[r] = x_row(min(row0 + r, p.n_rows - 1u));
  [[unroll]] for (uint c = 0u; c < kCols; ++c) col[c] = first_column() + min(n0 + c, p.n_cols - 1u);
  [[unroll]] for (uint c = 0u; c < kCols; ++c) {
    const float bias = bias_at(col[c]);
    [[unroll]] for (uint r = 0u; r < kRows; ++r) sum[r * kCols + c] = bias;
  }

  const uint k4 = p.k & ~3u;
  for (uint k = 0u; k < k4; k += 4u) {
    const X_STEP k0 = x_step(k), k1 = x_step(k + 1u), k2 = x_step(k + 2u), k3 = x_step(k + 3u);
    vec4 a[kRows];
    [[unroll]] for (uint r = 0u; r < kRows; ++r)
      a[r] = vec4(x_element(from[r], k0), x_element(from[r], k1), x_element(from[r], k2), x_element(from[r], k3));
    [[unroll]] for (uint c = 0u; c < kCols; ++c) {
      const vec4 b = weight4(col[c], k) * weight_scale(col[c], k);
      [[unroll]] for (uint r = 0u; r < kRows; ++r) sum[r * kCols + c] += dot(a[r], b);
    }
  }
  for (uint k = k4; k < p.k; ++k) {
    const X_STEP step = x_step(k);
    [[unroll]] for (uint c = 0u; c < kCols; ++c) {
      const float b = weight1(col[c], k);
      [[unroll]] for (uint r = 0u; r < kRows; ++r) sum[r * kCols + c] += x_element(from[r], step) * b;
    }
  }

  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    const uint y0 = y_begin(row0 + r);
    [[unroll]] for (uint c = 0u; c < kCols; c += 2u)
      store_pair(row0 + r, y0, n0 + c, sum[r * kCols + c], sum[r * kCols + c + 1u]);
  }
}
