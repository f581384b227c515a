// linear, few rows, in a subgroup: lanes run along K, 16 bytes of each of kCols rows of W per lane and step, and add up
// with subgroup operations. A workgroup goes through kGroups such blocks of columns.
// Needs: workgroup size == subgroup size, rows of W and x aligned to 16 bytes.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#include "kernel.glsl"
#include "linear.glsl"
#include "weights.glsl"
#include "weights_vector.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const uint kRows = 1u;
layout(constant_id = 8) const uint kCols = 8u; // even, at most twice the workgroup size
layout(constant_id = 9) const uint kGroups = 1u;
const uint kQuads = K_PER_VECTOR / 4u;

// The sum of all lanes' values.
float sum_of(float x) {
  if (gl_WorkGroupSize.x > 8u) return subgroupAdd(x);
  float s = subgroupShuffle(x, 0u);
  [[unroll]] for (uint l = 1u; l < gl_WorkGroupSize.x; ++l) s += subgroupShuffle(x, l);
  return s;
}

void main() {
  const uint lane = gl_SubgroupInvocationID, lanes = gl_WorkGroupSize.x;
  const uint tile_n = kCols * kGroups, tiles_n = (p.n_cols + tile_n - 1u) / tile_n;
  const uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint row0 = tile / tiles_n * kRows, first = tile % tiles_n * tile_n;
  if (row0 >= p.n_rows) return;
  int begin[kRows];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) begin[r] = x_begin(min(row0 + r, p.n_rows - 1u));
  const uint n_vectors = p.k / K_PER_VECTOR, last = min(first + tile_n, p.n_cols);

  for (uint n0 = first; n0 < last; n0 += kCols) {
    uint col[kCols], vector[kCols];
    [[unroll]] for (uint c = 0u; c < kCols; ++c) {
      col[c] = min(n0 + c, p.n_cols - 1u);
      vector[c] = weight_row(col[c]);
    }
    float sum[kRows * kCols];
    [[unroll]] for (uint i = 0u; i < kRows * kCols; ++i) sum[i] = 0.0;
    for (uint step = 0u; step < n_vectors; step += lanes) {
      const uint i = min(step + lane, n_vectors - 1u), k = i * K_PER_VECTOR;
      vec4 a[kRows * kQuads];
      [[unroll]] for (uint r = 0u; r < kRows; ++r) {
        [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad) {
          const int element = begin[r] + int(k + quad * 4u);
          a[r * kQuads + quad] = step + lane < n_vectors && x_inside(element) ? x_vector(element >> 2) : vec4(0.0);
        }
      }
      [[unroll]] for (uint c = 0u; c < kCols; ++c) {
        const uvec4 packed = w_vector(vector[c] + i);
        const float scale = weight_scale(col[c], k);
        [[unroll]] for (uint r = 0u; r < kRows; ++r) {
          float s = 0.0;
          [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad)
            s += dot(a[r * kQuads + quad], weight_quad(packed, quad));
          sum[r * kCols + c] += s * scale;
        }
      }
    }
    // Lane i stores columns 2i and 2i + 1.
    const uint n = n0 + lane * 2u;
    const bool stores = lane * 2u < kCols && n < p.n_cols;
    const vec2 bias = stores ? vec2(bias_at(n), bias_at(min(n + 1u, p.n_cols - 1u))) : vec2(0.0);
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      vec2 pair = vec2(0.0);
      [[unroll]] for (uint c = 0u; c < kCols; c += 2u) {
        const vec2 total = vec2(sum_of(sum[r * kCols + c]), sum_of(sum[r * kCols + c + 1u]));
        pair = lane * 2u == c ? total : pair;
      }
      pair += bias;
      if (stores && row0 + r < p.n_rows) store_pair(row0 + r, y_begin(row0 + r), n, pair.x, pair.y);
    }
  }
}
