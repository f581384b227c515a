// linear, few rows, any shape on any device: a workgroup takes all (at most kRows) rows of x and kCols columns; its
// invocations run along K, so that they read W side by side, and add up through shared memory.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "kernel.glsl"
#include "linear.glsl"
#include "weights.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const uint kRows = 1u;
layout(constant_id = 8) const uint kCols = 2u;     // even
layout(constant_id = 9) const uint kPartial = 128u; // kRows * kCols * workgroup size

shared float partial[kPartial]; // [kRows * kCols][invocations]

void main() {
  const uint lane = gl_LocalInvocationIndex, lanes = gl_WorkGroupSize.x;
  const uint tiles_n = (p.n_cols + kCols - 1u) / kCols;
  const uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint n0 = tile % tiles_n * kCols, row0 = tile / tiles_n * kRows;
  if (row0 >= p.n_rows) return;

  int begin[kRows];
  float sum[kRows * kCols];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) begin[r] = x_begin(min(row0 + r, p.n_rows - 1u));
  [[unroll]] for (uint i = 0u; i < kRows * kCols; ++i) sum[i] = 0.0;

  const uint k4 = p.k & ~3u;
  for (uint k = lane * 4u; k < k4; k += lanes * 4u) {
    vec4 b[kCols];
    [[unroll]] for (uint c = 0u; c < kCols; ++c) {
      const uint n = min(n0 + c, p.n_cols - 1u);
      b[c] = weight4(n, k) * weight_scale(n, k);
    }
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      const int i = begin[r] + int(k);
      const vec4 a = vec4(x_at(i), x_at(i + 1), x_at(i + 2), x_at(i + 3));
      [[unroll]] for (uint c = 0u; c < kCols; ++c) sum[r * kCols + c] += dot(a, b[c]);
    }
  }
  if (k4 + lane < p.k) { // at most three elements
    [[unroll]] for (uint c = 0u; c < kCols; ++c) {
      const float b = weight1(min(n0 + c, p.n_cols - 1u), k4 + lane);
      [[unroll]] for (uint r = 0u; r < kRows; ++r) sum[r * kCols + c] += x_at(begin[r] + int(k4 + lane)) * b;
    }
  }

  [[unroll]] for (uint i = 0u; i < kRows * kCols; ++i) partial[i * lanes + lane] = sum[i];
  barrier();
  for (uint width = lanes / 2u; width > 0u; width >>= 1) {
    if (lane < width) {
      [[unroll]] for (uint i = 0u; i < kRows * kCols; ++i)
        partial[i * lanes + lane] += partial[i * lanes + lane + width];
    }
    barrier();
  }
  const uint pairs = kRows * kCols / 2u;
  if (lane < pairs) {
    const uint row = row0 + lane / (kCols / 2u), n = n0 + lane % (kCols / 2u) * 2u;
    if (row < p.n_rows && n < p.n_cols)
      store_pair(row, y_begin(row), n, partial[lane * 2u * lanes] + bias_at(n),
                 partial[(lane * 2u + 1u) * lanes] + bias_at(min(n + 1u, p.n_cols - 1u)));
  }
}
