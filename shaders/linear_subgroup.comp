// linear, many rows, without shared memory or a barrier. The workgroup is one subgroup; its lanes run over columns, and
// each makes kRows x 4 sums. In each step the lanes together load kRows x 4 (or more) elements of x, each a different
// vec4, and every lane gets every one of them through a shuffle with a constant lane, which costs next to nothing.
// Needs: workgroup size == subgroup size, K % kStep == 0, 16-byte alignment of x and W rows (see select.cpp).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "kernel.glsl"
#ifdef CONV2D
#include "conv2d.glsl"
#else
#include "linear.glsl"
#endif
#include "weights.glsl"
#include "weights_vector.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const uint kRows = 16u;
layout(constant_id = 8) const uint kLoads = 2u;  // vec4 of x per lane and part of a step
layout(constant_id = 9) const uint kParts = 1u;  // parts of a step
layout(constant_id = 10) const uint kStep = 4u;  // K per step: a multiple of K_PER_VECTOR or half of it, at most 32
layout(constant_id = 11) const bool kQuadStores = false; // see epilogue_vector.glsl
const uint kVectors = (kStep + K_PER_VECTOR - 1u) / K_PER_VECTOR; // vectors of W per lane, column and step
const uint kQuads = kStep / 4u / kParts;          // quads of K per part
const uint kCols = 4u;
// Rows stored by one turn of a loop, which then moves the others up to them: llvmpipe took twice as long to compile sixteen
// rows' stores as all the rest, and runs them no faster. Elsewhere all at once.
#ifdef TEXELS
const uint kStored = 2u;
#else
const uint kStored = kRows;
#endif

#include "epilogue_vector.glsl"

vec4 x_quad(X_ROW row, X_STEP k) {
  return x_inside(row, k) ? x_vector(x_index(row, k) >> 2) : vec4(0.0);
}

void main() {
  const uint lane = gl_SubgroupInvocationID, lanes = gl_WorkGroupSize.x;
  const uint tile_n = kCols * lanes;
  const uint tiles_n = (p.n_cols + tile_n - 1u) / tile_n;
  const uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint row0 = tile / tiles_n * kRows; // columns first: the rows of x stay in the nearest cache
  const uint n0 = tile % tiles_n * tile_n + lane * kCols;
  if (row0 >= p.n_rows) return; // whole workgroups only: all lanes take part in shuffles

  // Load l of a lane is quad (l * lanes + lane) / kRows of row (l * lanes + lane) % kRows. What lies past the edge
  // computes the last row or column again and is not stored.
  X_ROW from[kLoads];
  [[unroll]] for (uint l = 0u; l < kLoads; ++l) from[l] = x_row(min(row0 + (l * lanes + lane) % kRows, p.n_rows - 1u));
  const uint k_lane = lanes > kRows ? lane / kRows * 4u : 0u; // both are powers of two
  uint col[kCols], vector[kCols];
  [[unroll]] for (uint c = 0u; c < kCols; ++c) {
    col[c] = first_column() + min(n0 + c, p.n_cols - 1u);
    vector[c] = weight_row(col[c]);
  }
  float sum[kRows * kCols];
  [[unroll]] for (uint c = 0u; c < kCols; ++c) {
    const float bias = bias_at(col[c]);
    [[unroll]] for (uint r = 0u; r < kRows; ++r) sum[r * kCols + c] = bias;
  }

  for (uint k = 0u; k < p.k; k += kStep) {
    uvec4 packed[kCols * kVectors];
    float scale[kCols];
    [[unroll]] for (uint c = 0u; c < kCols; ++c) {
      [[unroll]] for (uint i = 0u; i < kVectors; ++i)
        packed[c * kVectors + i] = w_vector(vector[c] + k / K_PER_VECTOR + i);
      if (kStep < K_PER_VECTOR && (k & kStep) != 0u) packed[c] = packed[c].zwzw;
      scale[c] = weight_scale(col[c], k);
    }
    [[unroll]] for (uint part = 0u; part < kParts; ++part) {
      vec4 a[kLoads];
      [[unroll]] for (uint l = 0u; l < kLoads; ++l)
        a[l] = x_quad(from[l], x_step(k + part * kQuads * 4u + l * lanes / kRows * 4u + k_lane));
      vec4 b[kQuads * kCols];
      [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad) {
        [[unroll]] for (uint c = 0u; c < kCols; ++c) {
          const uint q = part * kQuads + quad, i = quad * kCols + c;
          b[i] = weight_quad(packed[c * kVectors + q * 4u / K_PER_VECTOR], q % (K_PER_VECTOR / 4u));
#if defined(W_Q8) || defined(W_Q4)
          b[i] *= scale[c];
#endif
        }
      }
      // All products of a sum one after the other: most sums are loaded and stored for them.
      [[unroll]] for (uint r = 0u; r < kRows; ++r) {
        vec4 v[kQuads];
        [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad)
          v[quad] = subgroupShuffle(a[(quad * kRows + r) / lanes], (quad * kRows + r) % lanes);
        [[unroll]] for (uint c = 0u; c < kCols; ++c) {
          float t = sum[r * kCols + c];
          [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad) {
            const vec4 w = b[quad * kCols + c];
            t = fma(v[quad].x, w.x, t);
            t = fma(v[quad].y, w.y, t);
            t = fma(v[quad].z, w.z, t);
            t = fma(v[quad].w, w.w, t);
          }
          sum[r * kCols + c] = t;
        }
      }
    }
  }

  const uint end = min(kRows, p.n_rows - row0);
  [[dont_unroll]] for (uint first = 0u; first < end; first += kStored) {
    [[unroll]] for (uint r = 0u; r < kStored; ++r) {
      const uint row = row0 + first + r, s = r * kCols;
      store_quad(row, y_begin(row), n0, vec4(sum[s], sum[s + 1u], sum[s + 2u], sum[s + 3u]));
    }
    [[unroll]] for (uint s = kStored * kCols; s < kRows * kCols; ++s) sum[s - kStored * kCols] = sum[s];
  }
}
