// attention for many queries: a workgroup is one subgroup and takes kRows queries of one head through the keys in blocks
// of 4 per lane. Both products have the form of linear_subgroup.comp: the left operand (q, then the weights) is loaded
// a different vec4 per lane and spread with shuffles of a constant lane; in q k^T the lanes run over keys, in p v over
// the columns of v. Needs: workgroup size == subgroup size, K % (4 kQuads) == 0, 16-byte alignment.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#include "kernel.glsl"
#include "attention.glsl"
#include "attention_vector.glsl"

layout(constant_id = 5) const uint kRows = 16u;
layout(constant_id = 6) const uint kLoads = 2u; // vec4 of the left operand per lane and step
layout(constant_id = 7) const uint kQuads = 1u; // quads of the summed dimension per step
layout(constant_id = 8) const uint kColumns = 2u; // quads of v's columns per lane
layout(constant_id = 9) const uint kWeights = 128u; // kRows * workgroup size
const uint kKeys = 4u;                              // keys per lane in a block
// Rows stored by one turn of a loop, as in linear_subgroup.comp.
#ifdef TEXELS
const uint kStored = 4u;
#else
const uint kStored = kRows;
#endif

// All rows see the same keys: what the scores of hidden ones start from is enough to hide them.
const bool kAlike = kCausal == 0u && kExtras == 0u;
const float kHidden = -1e30; // after the scale, of either sign: far below every score, and finite

shared vec4 weights[kWeights]; // [kRows][lanes], 4 keys each

void main() {
  const uint lane = gl_SubgroupInvocationID, lanes = gl_WorkGroupSize.x;
  const uint tiles = (p.n_queries + kRows - 1u) / kRows;
  uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint t0 = tile % tiles * kRows;
  tile /= tiles;
  const uint head = tile % p.n_heads, batch = tile / p.n_heads;
  if (batch >= p.n_batch) return;
  const uint kv_head = head / (p.n_heads / p.n_kv_heads);
  const uint k0 = p.k_offset + batch * p.k_batch_stride + kv_head * kHeadSize;
  const uint v0 = p.v_offset + batch * p.v_batch_stride + kv_head * kHeadSize;

  // Load l of a lane is quad (l * lanes + lane) / kRows of row (l * lanes + lane) % kRows.
  uint q_begin[kLoads], weights_begin[kLoads];
  [[unroll]] for (uint l = 0u; l < kLoads; ++l) {
    const uint i = l * lanes + lane, t = min(t0 + i % kRows, p.n_queries - 1u), quad = i / kRows % kQuads;
    q_begin[l] = p.q_offset + batch * p.q_batch_stride + t * p.q_stride + head * kHeadSize + quad * 4u;
    weights_begin[l] = i % kRows * lanes + quad;
  }
  // This lane's columns of v and y; lanes past the last repeat it and store nothing.
  uint column[kColumns];
  [[unroll]] for (uint c = 0u; c < kColumns; ++c) column[c] = min((c * lanes + lane) * 4u, kHeadSize - 4u);

  float largest[kRows], sum[kRows];
  vec4 value[kRows * kColumns];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    largest[r] = kLowest;
    sum[r] = 0.0;
    [[unroll]] for (uint c = 0u; c < kColumns; ++c) value[r * kColumns + c] = vec4(0.0);
  }
  const uint first_hidden = visible_keys(t0), end = visible_keys(min(t0 + kRows, p.n_queries) - 1u);

  const float hidden = kHidden * sign(p.scale) / max(abs(p.scale), 1e-8);

  for (uint s0 = first_key(t0); s0 < end; s0 += kKeys * lanes) {
    const uint s = s0 + lane * kKeys;
    uint key_begin[kKeys];
    vec4 score[kRows];
    [[unroll]] for (uint i = 0u; i < kKeys; ++i) key_begin[i] = k0 + min(s + i, end - 1u) * p.k_stride;
    vec4 begin = vec4(0.0);
    if (kAlike) begin = mix(vec4(hidden), begin, lessThan(uvec4(s, s + 1u, s + 2u, s + 3u), uvec4(end)));
    [[unroll]] for (uint r = 0u; r < kRows; ++r) score[r] = begin;
    for (uint j = 0u; j < kHeadSize; j += 4u * kQuads) {
      vec4 a[kLoads];
      [[unroll]] for (uint l = 0u; l < kLoads; ++l) a[l] = q_vector((q_begin[l] + j) >> 2);
      [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad) {
        vec4 key[kKeys];
        [[unroll]] for (uint i = 0u; i < kKeys; ++i) key[i] = key_quad(key_begin[i] + j + quad * 4u);
        [[unroll]] for (uint r = 0u; r < kRows; ++r) {
          const uint from = quad * kRows + r;
          const vec4 x = subgroupShuffle(a[from / lanes], from % lanes);
          [[unroll]] for (uint i = 0u; i < kKeys; ++i) {
            score[r][i] = fma(x.x, key[i].x, score[r][i]);
            score[r][i] = fma(x.y, key[i].y, score[r][i]);
            score[r][i] = fma(x.z, key[i].z, score[r][i]);
            score[r][i] = fma(x.w, key[i].w, score[r][i]);
          }
        }
      }
    }
    [[unroll]] for (uint r = 0u; r < kRows; ++r) score[r] *= p.scale;
    if (!kAlike && (kExtras != 0u || s0 + kKeys * lanes > first_hidden)) { // some key of the block is hidden from some row
      const bvec4 open = unmasked_quad(batch, s);
      [[unroll]] for (uint r = 0u; r < kRows; ++r)
        score[r] = seen_scores(score[r], head, min(t0 + r, p.n_queries - 1u), s, open);
    }
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      const vec4 x = score[r];
      const float grown = max(largest[r], largest_of(max(max(x.x, x.y), max(x.z, x.w))));
      const float shrink = exp(largest[r] - grown);
      const vec4 weight = softmax_weights(x, grown);
      largest[r] = grown;
      sum[r] = sum[r] * shrink + ((weight.x + weight.y) + (weight.z + weight.w)); // this lane's keys only
      [[unroll]] for (uint c = 0u; c < kColumns; ++c) value[r * kColumns + c] *= shrink;
      weights[r * lanes + lane] = weight;
    }
    subgroupBarrier();
    const uint n_quads = (min(end - s0, kKeys * lanes) + 3u) / 4u;
    for (uint k_quad = 0u; k_quad < n_quads; k_quad += kQuads) {
      vec4 a[kLoads];
      [[unroll]] for (uint l = 0u; l < kLoads; ++l) a[l] = weights[weights_begin[l] + k_quad];
      [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad) {
        [[unroll]] for (uint c = 0u; c < kColumns; ++c) {
          vec4 b[4];
          [[unroll]] for (uint i = 0u; i < 4u; ++i)
            b[i] = value_quad(v0 + min(s0 + (k_quad + quad) * 4u + i, end - 1u) * p.v_stride + column[c]);
          [[unroll]] for (uint r = 0u; r < kRows; ++r) {
            const uint from = quad * kRows + r;
            const vec4 x = subgroupShuffle(a[from / lanes], from % lanes);
            [[unroll]] for (uint i = 0u; i < 4u; ++i)
              value[r * kColumns + c] = fma(vec4(x[i]), b[i], value[r * kColumns + c]);
          }
        }
      }
    }
    subgroupBarrier();
  }

  const uint last = min(kRows, p.n_queries - t0);
  [[dont_unroll]] for (uint first = 0u; first < last; first += kStored) {
    [[unroll]] for (uint r = 0u; r < kStored; ++r) {
      const uint t = t0 + first + r;
      const float total = subgroupAdd(sum[r]);
      const float inverse = total > 0.0 ? 1.0 / total : 0.0;
      const uint begin = p.y_offset + batch * p.y_batch_stride + t * p.y_stride + head * kHeadSize;
      [[unroll]] for (uint c = 0u; c < kColumns; ++c)
        if (t < p.n_queries && (c * lanes + lane) * 4u < kHeadSize)
          y_vectors[(begin + column[c]) >> 2] = value[r * kColumns + c] * inverse;
    }
    [[unroll]] for (uint r = kStored; r < kRows; ++r) sum[r - kStored] = sum[r];
    [[unroll]] for (uint i = kStored * kColumns; i < kRows * kColumns; ++i) value[i - kStored * kColumns] = value[i];
  }
}
