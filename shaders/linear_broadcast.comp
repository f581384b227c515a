// linear, many rows, in subgroups of four, for drivers that run loops as they stand and take a shuffle lane by lane
// (SwiftShader): linear_subgroup with each step's rows and lanes written out, and x handed over by broadcasts, whose lane
// is a literal. Lanes run over columns; each makes 16 x 4 sums, a vec4 for each row.
// Needs: workgroup size == subgroup size == 4, K % K_PER_VECTOR == 0, 16-byte alignment of x and W rows.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "kernel.glsl"
#ifdef CONV2D
#include "conv2d.glsl"
#else
#include "linear.glsl"
#endif
#include "weights.glsl"
#include "weights_vector.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const bool kQuadStores = false; // see epilogue_vector.glsl
const uint kRows = 16u, kTileN = 16u;

#include "epilogue_vector.glsl"

vec4 x_quad(X_ROW row, X_STEP k) {
  return x_inside(row, k) ? x_vector(x_index(row, k) >> 2) : vec4(0.0);
}

#define ROW(sum, a, lane)                                                                                              \
  {                                                                                                                    \
    const vec4 v = subgroupBroadcast(a, lane);                                                                         \
    sum += v.x * w_x + v.y * w_y + v.z * w_z + v.w * w_w;                                                              \
  }
#define ROWS(s0, s1, s2, s3, a) ROW(s0, a, 0u) ROW(s1, a, 1u) ROW(s2, a, 2u) ROW(s3, a, 3u)
#define STORE(r, sum) store_quad(row0 + r, y_begin(row0 + r), n0, sum);

void main() {
  const uint lane = gl_SubgroupInvocationID;
  const uint tiles_n = (p.n_cols + kTileN - 1u) / kTileN;
  const uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint row0 = tile / tiles_n * kRows, n0 = tile % tiles_n * kTileN + lane * 4u;
  if (row0 >= p.n_rows) return;

  // Lane l loads rows l, 4 + l, 8 + l and 12 + l. What lies past the edge computes the last row or column again and is
  // not stored.
  const uint last_row = p.n_rows - 1u, last_col = p.n_cols - 1u;
  const X_ROW from0 = x_row(min(row0 + lane, last_row)), from1 = x_row(min(row0 + 4u + lane, last_row)),
              from2 = x_row(min(row0 + 8u + lane, last_row)), from3 = x_row(min(row0 + 12u + lane, last_row));
  const uint col0 = first_column() + min(n0, last_col), col1 = first_column() + min(n0 + 1u, last_col),
             col2 = first_column() + min(n0 + 2u, last_col), col3 = first_column() + min(n0 + 3u, last_col);
  uint at0 = weight_row(col0), at1 = weight_row(col1), at2 = weight_row(col2), at3 = weight_row(col3);
  const vec4 bias = vec4(bias_at(col0), bias_at(col1), bias_at(col2), bias_at(col3));
  vec4 s0 = bias, s1 = bias, s2 = bias, s3 = bias, s4 = bias, s5 = bias, s6 = bias, s7 = bias, s8 = bias, s9 = bias,
       s10 = bias, s11 = bias, s12 = bias, s13 = bias, s14 = bias, s15 = bias;

  for (uint k = 0u; k < p.k; k += K_PER_VECTOR) {
    const uvec4 packed0 = w_vector(at0++), packed1 = w_vector(at1++), packed2 = w_vector(at2++), packed3 = w_vector(at3++);
#if defined(W_Q8) || defined(W_Q4)
    const vec4 scale =
        vec4(weight_scale(col0, k), weight_scale(col1, k), weight_scale(col2, k), weight_scale(col3, k));
#endif
    for (uint quad = 0u; quad < K_PER_VECTOR / 4u; ++quad) {
      const X_STEP step = x_step(k + quad * 4u);
      const vec4 a0 = x_quad(from0, step), a1 = x_quad(from1, step), a2 = x_quad(from2, step), a3 = x_quad(from3, step);
      const vec4 b0 = weight_quad(packed0, quad), b1 = weight_quad(packed1, quad), b2 = weight_quad(packed2, quad),
                 b3 = weight_quad(packed3, quad);
      vec4 w_x = vec4(b0.x, b1.x, b2.x, b3.x), w_y = vec4(b0.y, b1.y, b2.y, b3.y), w_z = vec4(b0.z, b1.z, b2.z, b3.z),
           w_w = vec4(b0.w, b1.w, b2.w, b3.w);
#if defined(W_Q8) || defined(W_Q4)
      w_x *= scale, w_y *= scale, w_z *= scale, w_w *= scale;
#endif
      ROWS(s0, s1, s2, s3, a0)
      ROWS(s4, s5, s6, s7, a1)
      ROWS(s8, s9, s10, s11, a2)
      ROWS(s12, s13, s14, s15, a3)
    }
  }
  STORE(0u, s0) STORE(1u, s1) STORE(2u, s2) STORE(3u, s3)
  STORE(4u, s4) STORE(5u, s5) STORE(6u, s6) STORE(7u, s7)
  STORE(8u, s8) STORE(9u, s9) STORE(10u, s10) STORE(11u, s11)
  STORE(12u, s12) STORE(13u, s13) STORE(14u, s14) STORE(15u, s15)
}
