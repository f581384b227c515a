// linear, few rows, in a narrow subgroup: lanes run over columns, kCols adjacent ones each, so that nothing is added up
// across lanes. Each lane loads a different vec4 of x, and shuffles with a constant lane hand it to all.
// Needs: workgroup size == subgroup size <= 16, K % kStep == 0, rows of W and x aligned to 16 bytes.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "kernel.glsl"
#include "linear.glsl"
#include "weights.glsl"
#include "weights_vector.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const uint kRows = 1u;
layout(constant_id = 8) const uint kCols = 4u; // a multiple of 4
layout(constant_id = 9) const uint kStep = 32u; // K per step: 4 * workgroup size, or more for q4
layout(constant_id = 10) const bool kQuadStores = false; // see epilogue_vector.glsl
const uint kVectors = kStep / K_PER_VECTOR;
const uint kLoads = kStep / 4u / gl_WorkGroupSize.x; // vec4 of each row of x per lane and step

#include "epilogue_vector.glsl"

void main() {
  const uint lane = gl_SubgroupInvocationID, lanes = gl_WorkGroupSize.x;
  const uint tile_n = kCols * lanes, tiles_n = (p.n_cols + tile_n - 1u) / tile_n;
  const uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint row0 = tile / tiles_n * kRows, n0 = tile % tiles_n * tile_n + lane * kCols;
  if (row0 >= p.n_rows) return;
  int begin[kRows];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) begin[r] = x_begin(min(row0 + r, p.n_rows - 1u)) + int(lane * 4u);
  uint col[kCols], vector[kCols];
  float sum[kRows * kCols];
  [[unroll]] for (uint c = 0u; c < kCols; ++c) {
    col[c] = min(n0 + c, p.n_cols - 1u);
    vector[c] = weight_row(col[c]);
    const float bias = bias_at(col[c]);
    [[unroll]] for (uint r = 0u; r < kRows; ++r) sum[r * kCols + c] = bias;
  }

  for (uint k = 0u; k < p.k; k += kStep) {
    vec4 a[kRows * kLoads];
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      [[unroll]] for (uint l = 0u; l < kLoads; ++l) {
        const int i = begin[r] + int(k + l * lanes * 4u);
        a[r * kLoads + l] = x_inside(i) ? x_vector(i >> 2) : vec4(0.0);
      }
    }
    // The first vector of every column before any arithmetic: what comes from memory is waited for once, not once for
    // each column.
    uvec4 first[kCols];
    [[unroll]] for (uint c = 0u; c < kCols; ++c) first[c] = w_vector(vector[c] + k / K_PER_VECTOR);
    [[unroll]] for (uint c = 0u; c < kCols; ++c) {
      float s[kRows];
      [[unroll]] for (uint r = 0u; r < kRows; ++r) s[r] = 0.0;
      [[unroll]] for (uint i = 0u; i < kVectors; ++i) {
        const uvec4 packed = i == 0u ? first[c] : w_vector(vector[c] + k / K_PER_VECTOR + i);
        [[unroll]] for (uint part = 0u; part < K_PER_VECTOR / 4u; ++part) {
          const vec4 b = weight_quad(packed, part);
          const uint quad = i * (K_PER_VECTOR / 4u) + part;
          [[unroll]] for (uint r = 0u; r < kRows; ++r) {
            const vec4 v = subgroupShuffle(a[r * kLoads + quad / lanes], quad % lanes);
            s[r] = fma(v.x, b.x, s[r]);
            s[r] = fma(v.y, b.y, s[r]);
            s[r] = fma(v.z, b.z, s[r]);
            s[r] = fma(v.w, b.w, s[r]);
          }
        }
        // The scale changes every 32 elements.
        if (((i + 1u) * K_PER_VECTOR) % 32u == 0u || i + 1u == kVectors) {
          const float scale = weight_scale(col[c], k + i * K_PER_VECTOR);
          [[unroll]] for (uint r = 0u; r < kRows; ++r) {
            sum[r * kCols + c] += s[r] * scale;
            s[r] = 0.0;
          }
        }
      }
    }
  }

  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    [[unroll]] for (uint c = 0u; c < kCols; c += 4u) {
      const uint s = r * kCols + c;
      store_quad(row0 + r, y_begin(row0 + r), n0 + c, vec4(sum[s], sum[s + 1u], sum[s + 2u], sum[s + 3u]));
    }
  }
}
