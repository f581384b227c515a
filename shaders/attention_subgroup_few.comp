// attention for few queries against many keys (a decoder's step): a workgroup takes kQueries queries of kHeads heads, which
// have their keys in common and so load them once (Ainslie et al. 2023). Its subgroups take turns at blocks of keys, and
// bring what they have of each row together at the end (Dao et al. 2023, flash decoding, within a workgroup).
// q k^T: a subgroup's lanes run over keys, 4 each in a block. p v: they run over 16-byte pieces of v's rows, and where a
// row has fewer pieces than there are lanes, groups of lanes take different keys.
// Needs: workgroup size == kSplits * subgroup size, K a multiple of a piece (4 of f32, 8 of f16, 16 of q8), 16-byte alignment.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#include "kernel.glsl"
#include "attention.glsl"
#include "attention_vector.glsl"

layout(constant_id = 5) const uint kQueries = 1u;
layout(constant_id = 6) const uint kHeads = 1u;
layout(constant_id = 7) const uint kSplits = 1u;   // subgroups
layout(constant_id = 8) const uint kPartials = 1u; // kSplits * kRows * kPartial, if there are splits
const uint kRows = kQueries * kHeads;              // row r: query r / kHeads of head r % kHeads
const uint kQuads = 1u << kCache;                  // quads in a piece
const uint kPieces = kHeadSize / (4u * kQuads);    // of a row
const uint kPartial = kHeadSize / 4u + 1u;         // what a subgroup has of a row: values, then largest score and sum
const uint kLanes = gl_WorkGroupSize.x / kSplits;
const uint kGroups = kPieces < kLanes ? kLanes / kPieces : 1u;
const uint kColumns = (kPieces + kLanes - 1u) / kLanes; // pieces per lane
const uint kKeys = 4u;                                  // keys per lane in a block

vec4 quad_of(uvec4 piece, uint quad) {
  if (kCache == 0u) return uintBitsToFloat(piece);
  if (kCache == 2u) return bytes_to_vec4(piece[quad]);
  return four_halves(quad == 0u ? piece.xy : piece.zw);
}

shared vec4 partials[kPartials]; // [kSplits][kRows][kPartial]

uvec4 value_piece(uint i) { return kMask || kBias ? k_vector(i) : v_vector(i); }

void main() {
  const uint lane = gl_SubgroupInvocationID;
  const uint split = kSplits > 1u ? gl_SubgroupID : 0u;
  const uint tiles = (p.n_queries + kQueries - 1u) / kQueries;
  uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint t0 = tile % tiles * kQueries;
  tile /= tiles;
  const uint kv_heads = p.n_heads / p.n_kv_heads; // heads that share keys
  const uint groups = (kv_heads + kHeads - 1u) / kHeads, all_groups = groups * p.n_kv_heads;
  const uint head_group = tile % all_groups, batch = tile / all_groups;
  if (batch >= p.n_batch) return;
  const uint kv_head = head_group / groups;
  const uint h0 = head_group % groups * kHeads; // of those
  const uint k0 = p.k_offset + batch * p.k_batch_stride + kv_head * kHeadSize;
  const uint v0 = p.v_offset + batch * p.v_batch_stride + kv_head * kHeadSize;
  const uint q0 = p.q_offset + batch * p.q_batch_stride;

  // Read once: in a loop the software driver would load them for each lane, each time.
  const uint k_stride = p.k_stride, v_stride = p.v_stride;
  vec4 q[kRows * kPieces * kQuads];
  // A row that is not there repeats the last one.
  uint query[kRows], head[kRows];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    query[r] = min(t0 + r / kHeads, p.n_queries - 1u);
    head[r] = kv_head * kv_heads + min(h0 + r % kHeads, kv_heads - 1u);
    const uint begin = (q0 + query[r] * p.q_stride + head[r] * kHeadSize) >> 2;
    [[unroll]] for (uint i = 0u; i < kPieces * kQuads; ++i) q[r * kPieces * kQuads + i] = q_vector(begin + i);
  }

  // Lanes beyond the last whole group or the last piece repeat another's work and store nothing.
  const uint group = min(lane / kPieces, kGroups - 1u);
  uint piece[kColumns];
  [[unroll]] for (uint c = 0u; c < kColumns; ++c) piece[c] = min(c * kLanes + lane - group * kPieces, kPieces - 1u);

  float largest[kRows], sum[kRows];
  vec4 value[kRows * kColumns * kQuads];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    largest[r] = kLowest;
    sum[r] = 0.0;
  }
  [[unroll]] for (uint i = 0u; i < kRows * kColumns * kQuads; ++i) value[i] = vec4(0.0);
  const uint end = visible_keys(min(t0 + kQueries, p.n_queries) - 1u);

  for (uint s0 = first_key(t0) + split * kKeys * kLanes; s0 < end; s0 += kSplits * kKeys * kLanes) {
    const uint s = s0 + lane * kKeys;
    uint key_begin[kKeys];
    vec4 score[kRows];
    [[unroll]] for (uint i = 0u; i < kKeys; ++i) key_begin[i] = k0 + min(s + i, end - 1u) * k_stride;
    [[unroll]] for (uint r = 0u; r < kRows; ++r) score[r] = vec4(0.0);
    [[unroll]] for (uint j = 0u; j < kPieces; ++j) {
      uvec4 key[kKeys];
      float scale[kKeys];
      [[unroll]] for (uint i = 0u; i < kKeys; ++i) {
        key[i] = k_vector(key_begin[i] / (4u * kQuads) + j);
        scale[i] = key_scale(key_begin[i] + j * 4u * kQuads);
      }
      [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad) {
        [[unroll]] for (uint r = 0u; r < kRows; ++r) {
          const vec4 x = q[(r * kPieces + j) * kQuads + quad];
          [[unroll]] for (uint i = 0u; i < kKeys; ++i) score[r][i] += dot(x, quad_of(key[i], quad)) * scale[i];
        }
      }
    }
    const bvec4 open = unmasked_quad(batch, s);
    vec4 turned[kRows]; // softmax weights of 4 keys a lane, turned so that the next keys are those of the first lanes
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      const vec4 x = seen_scores(score[r] * p.scale, head[r], query[r], s, open);
      const float grown = max(largest[r], largest_of(max(max(x.x, x.y), max(x.z, x.w))));
      const float shrink = exp(largest[r] - grown);
      const vec4 weight = softmax_weights(x, grown);
      largest[r] = grown;
      sum[r] = sum[r] * shrink + ((weight.x + weight.y) + (weight.z + weight.w)); // this lane's keys only
      [[unroll]] for (uint i = 0u; i < kColumns * kQuads; ++i) value[r * kColumns * kQuads + i] *= shrink;
      turned[r] = weight;
    }
    const uint n_quads = (min(end - s0, kKeys * kLanes) + 3u) / 4u;
    for (uint first = 0u; first < n_quads; first += kGroups) {
      const uint k_quad = min(first + group, kLanes - 1u);
      // Whose lane is constant, which on software drivers is an instruction where shared memory is read lane by lane.
      vec4 weight[kRows];
      [[unroll]] for (uint r = 0u; r < kRows; ++r) {
        weight[r] = subgroupShuffle(turned[r], group); // in all lanes
        if (first + group >= n_quads) weight[r] = vec4(0.0);
        turned[r] = subgroupShuffle(turned[r], (lane + kGroups) & (kLanes - 1u));
      }
      [[unroll]] for (uint c = 0u; c < kColumns; ++c) {
        // All loads before any arithmetic, which would wait for one after the other.
        uvec4 x[kKeys];
        float scale[kKeys];
        [[unroll]] for (uint i = 0u; i < kKeys; ++i) {
          const uint row = v0 + min(s0 + k_quad * 4u + i, end - 1u) * v_stride;
          x[i] = value_piece(row / (4u * kQuads) + piece[c]);
          scale[i] = value_scale(row + piece[c] * 4u * kQuads);
        }
        [[unroll]] for (uint r = 0u; r < kRows; ++r) {
          [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad) {
            const uint at = (r * kColumns + c) * kQuads + quad;
            vec4 t = value[at];
            [[unroll]] for (uint i = 0u; i < kKeys; ++i)
              t = fma(vec4(weight[r][i] * scale[i]), quad_of(x[i], quad), t);
            value[at] = t;
          }
        }
      }
    }
  }

  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    sum[r] = subgroupAdd(sum[r]);
    [[unroll]] for (uint i = 0u; i < kColumns * kQuads; ++i) {
      const uint at = r * kColumns * kQuads + i;
      const vec4 own = value[at];
      [[unroll]] for (uint g = 1u; g < kGroups; ++g)
        value[at] += subgroupShuffle(own, (lane + g * kPieces) & (kLanes - 1u));
    }
  }
  if (kSplits > 1u) {
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      const uint begin = (split * kRows + r) * kPartial;
      if (lane == 0u) partials[begin + kPartial - 1u] = vec4(largest[r], sum[r], 0.0, 0.0);
      [[unroll]] for (uint c = 0u; c < kColumns; ++c) {
        if (lane >= kPieces || c * kLanes + lane >= kPieces) continue;
        [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad)
          partials[begin + piece[c] * kQuads + quad] = value[(r * kColumns + c) * kQuads + quad];
      }
    }
    barrier();
    if (split != 0u) return;
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      float grown = kLowest;
      for (uint i = 0u; i < kSplits; ++i) grown = max(grown, partials[(i * kRows + r + 1u) * kPartial - 1u].x);
      sum[r] = 0.0;
      [[unroll]] for (uint i = 0u; i < kColumns * kQuads; ++i) value[r * kColumns * kQuads + i] = vec4(0.0);
      for (uint i = 0u; i < kSplits; ++i) {
        const uint begin = (i * kRows + r) * kPartial;
        const vec4 other = partials[begin + kPartial - 1u];
        const float shrink = exp(other.x - grown);
        sum[r] += other.y * shrink;
        [[unroll]] for (uint c = 0u; c < kColumns; ++c) {
          [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad)
            value[(r * kColumns + c) * kQuads + quad] += partials[begin + piece[c] * kQuads + quad] * shrink;
        }
      }
    }
  }
  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    const float inverse = sum[r] > 0.0 ? 1.0 / sum[r] : 0.0;
    const bool here = t0 + r / kHeads < p.n_queries && h0 + r % kHeads < kv_heads;
    const uint begin = p.y_offset + batch * p.y_batch_stride + query[r] * p.y_stride + head[r] * kHeadSize;
    [[unroll]] for (uint c = 0u; c < kColumns; ++c) {
      [[unroll]] for (uint quad = 0u; quad < kQuads; ++quad) {
        if (here && lane < kPieces && c * kLanes + lane < kPieces)
          y_vectors[(begin >> 2) + piece[c] * kQuads + quad] = value[(r * kColumns + c) * kQuads + quad] * inverse;
      }
    }
  }
}
