// linear, few rows, in subgroups of four, for drivers that run loops as they stand and take a shuffle lane by lane
// (SwiftShader): lanes run over columns, four each. A step is 16 elements of K, of which each lane loads a vec4 of every
// row of x; broadcasts, whose lane is a literal, hand it to all.
// Needs: workgroup size == subgroup size == 4, K % max(16, K_PER_VECTOR) == 0, rows of W and x aligned to 16 bytes.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "kernel.glsl"
#include "linear.glsl"
#include "weights.glsl"
#include "weights_vector.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const uint kRows = 1u; // at most 8
layout(constant_id = 8) const bool kQuadStores = false; // see epilogue_vector.glsl
const uint kTileN = 16u;

#include "epilogue_vector.glsl"

vec4 x_quad(int begin, uint k) {
  const int i = begin + int(k);
  return x_inside(i) ? x_vector(i >> 2) : vec4(0.0);
}

// Sixteen elements of a column, in as many vectors as they take.
#if defined(W_F32)
#define LOADS 4u
#define PART(q) (q), 0u
#elif defined(W_F16)
#define LOADS 2u
#define PART(q) (q) / 2u, (q) % 2u
#else
#define LOADS 1u
#define PART(q) 0u, (q)
#endif
struct Block {
  uvec4 packed[LOADS];
};
Block load(uint vector, uint k) {
  Block b;
#ifdef W_Q4
  const uint word = (vector << 2) + (k >> 3);
  b.packed[0] = uvec4(w_word(word), w_word(word + 1u), 0u, 0u);
#else
  [[unroll]] for (uint i = 0u; i < LOADS; ++i) b.packed[i] = w_vector(vector + k / K_PER_VECTOR + i);
#endif
  return b;
}
vec4 block_quad(Block b, uint vector, uint part) { return weight_quad(b.packed[vector], part); }

#define ROW(r, q)                                                                                                      \
  if (kRows > r) {                                                                                                     \
    const vec4 v = subgroupBroadcast(a[r], q);                                                                         \
    t[r] += v.x * w_x + v.y * w_y + v.z * w_z + v.w * w_w;                                                             \
  }
#define QUAD(q)                                                                                                        \
  {                                                                                                                    \
    const vec4 b0 = block_quad(w0, PART(q)), b1 = block_quad(w1, PART(q)), b2 = block_quad(w2, PART(q)),               \
               b3 = block_quad(w3, PART(q));                                                                           \
    const vec4 w_x = vec4(b0.x, b1.x, b2.x, b3.x), w_y = vec4(b0.y, b1.y, b2.y, b3.y),                                 \
               w_z = vec4(b0.z, b1.z, b2.z, b3.z), w_w = vec4(b0.w, b1.w, b2.w, b3.w);                                 \
    ROW(0, q) ROW(1, q) ROW(2, q) ROW(3, q) ROW(4, q) ROW(5, q) ROW(6, q) ROW(7, q)                                    \
  }
#define EACH_ROW(statement)                                                                                            \
  statement(0) statement(1) statement(2) statement(3) statement(4) statement(5) statement(6) statement(7)
#define BEGIN(r)                                                                                                       \
  if (kRows > r) {                                                                                                     \
    begin[r] = x_begin(min(row0 + r, p.n_rows - 1u)) + int(lane * 4u);                                                 \
    sum[r] = bias;                                                                                                     \
  }
#define LOAD(r)                                                                                                        \
  if (kRows > r) {                                                                                                     \
    a[r] = x_quad(begin[r], k);                                                                                        \
    t[r] = vec4(0.0);                                                                                                  \
  }
#define SCALE(r) if (kRows > r) sum[r] += t[r] * scale;
#define STORE(r) if (kRows > r) store_quad(row0 + r, y_begin(row0 + r), n0, sum[r]);

void main() {
  const uint lane = gl_SubgroupInvocationID;
  const uint tiles_n = (p.n_cols + kTileN - 1u) / kTileN;
  const uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint row0 = tile / tiles_n * kRows, n0 = tile % tiles_n * kTileN + lane * 4u;
  if (row0 >= p.n_rows) return;
  // Columns past the edge compute the last one again and are not stored.
  const uint last = p.n_cols - 1u;
  const uint col0 = min(n0, last), col1 = min(n0 + 1u, last), col2 = min(n0 + 2u, last), col3 = min(n0 + 3u, last);
  const uint at0 = weight_row(col0), at1 = weight_row(col1), at2 = weight_row(col2), at3 = weight_row(col3);
  const vec4 bias = vec4(bias_at(col0), bias_at(col1), bias_at(col2), bias_at(col3));
  int begin[8];
  vec4 sum[8];
  EACH_ROW(BEGIN)

  for (uint k = 0u; k < p.k; k += 16u) {
    const Block w0 = load(at0, k), w1 = load(at1, k), w2 = load(at2, k), w3 = load(at3, k);
    const vec4 scale =
        vec4(weight_scale(col0, k), weight_scale(col1, k), weight_scale(col2, k), weight_scale(col3, k));
    vec4 a[8], t[8];
    EACH_ROW(LOAD)
    QUAD(0u) QUAD(1u) QUAD(2u) QUAD(3u)
    EACH_ROW(SCALE)
  }
  EACH_ROW(STORE)
}
