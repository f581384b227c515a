// attention on any device: a workgroup takes kRows queries of one head and goes through the keys in blocks of one key
// per invocation. Scores: each invocation its key against all rows; values: each invocation its columns of all rows.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "kernel.glsl"
#include "attention.glsl"

layout(constant_id = 5) const uint kRows = 4u;
layout(constant_id = 6) const uint kColumns = 1u; // output columns per invocation: K / workgroup size, rounded up

shared float queries[kRows * kHeadSize];
shared float scores[kRows * 128u];
shared float reduced[kRows * 128u];

void main() {
  const uint lane = gl_LocalInvocationIndex, lanes = gl_WorkGroupSize.x;
  const uint tiles = (p.n_queries + kRows - 1u) / kRows;
  uint tile = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint t0 = tile % tiles * kRows;
  tile /= tiles;
  const uint head = tile % p.n_heads, batch = tile / p.n_heads;
  if (batch >= p.n_batch) return;
  const uint kv_head = head / (p.n_heads / p.n_kv_heads);
  const uint k0 = p.k_offset + batch * p.k_batch_stride + kv_head * kHeadSize;
  const uint v0 = p.v_offset + batch * p.v_batch_stride + kv_head * kHeadSize;

  for (uint i = lane; i < kRows * kHeadSize; i += lanes) {
    const uint t = min(t0 + i / kHeadSize, p.n_queries - 1u);
    queries[i] = q_word(p.q_offset + batch * p.q_batch_stride + t * p.q_stride + head * kHeadSize + i % kHeadSize) * p.scale;
  }

  float largest[kRows], sum[kRows], value[kRows * kColumns];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    largest[r] = kLowest;
    sum[r] = 0.0;
  }
  [[unroll]] for (uint i = 0u; i < kRows * kColumns; ++i) value[i] = 0.0;
  barrier();

  const uint end = visible_keys(min(t0 + kRows, p.n_queries) - 1u);
  for (uint s0 = first_key(t0); s0 < end; s0 += lanes) {
    const uint s = s0 + lane;
    float score[kRows];
    bool hidden[kRows];
    const bool masked = !unmasked(batch, s);
    [[unroll]] for (uint r = 0u; r < kRows; ++r) score[r] = 0.0;
    if (s < end) {
      const uint begin = k0 + s * p.k_stride;
      for (uint j = 0u; j < kHeadSize; ++j) {
        const float key = key_at(begin + j);
        [[unroll]] for (uint r = 0u; r < kRows; ++r) score[r] += queries[r * kHeadSize + j] * key;
      }
    }
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      const uint t = min(t0 + r, p.n_queries - 1u);
      hidden[r] = s >= visible_keys(t) || (kWindow && s < first_key(t)) || masked;
      score[r] = hidden[r] ? kLowest : score[r] + bias_at(head, t, s);
      reduced[r * lanes + lane] = score[r];
    }
    barrier();
    for (uint width = lanes / 2u; width > 0u; width >>= 1) {
      if (lane < width) {
        [[unroll]] for (uint r = 0u; r < kRows; ++r) {
          const uint i = r * lanes + lane;
          reduced[i] = max(reduced[i], reduced[i + width]);
        }
      }
      barrier();
    }
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      const float grown = max(largest[r], reduced[r * lanes]);
      const float shrink = exp(largest[r] - grown);
      largest[r] = grown;
      sum[r] *= shrink;
      [[unroll]] for (uint c = 0u; c < kColumns; ++c) value[r * kColumns + c] *= shrink;
      // Not left to exp(): where all keys of the block are hidden, score == grown.
      scores[r * lanes + lane] = hidden[r] ? 0.0 : exp(score[r] - grown);
    }
    barrier();
    const uint n = min(lanes, end - s0);
    for (uint i = 0u; i < n; ++i) {
      float weight[kRows];
      [[unroll]] for (uint r = 0u; r < kRows; ++r) {
        weight[r] = scores[r * lanes + i];
        sum[r] += weight[r];
      }
      [[unroll]] for (uint c = 0u; c < kColumns; ++c) {
        const uint j = c * lanes + lane;
        if (j < kHeadSize) {
          const float x = value_at(v0 + (s0 + i) * p.v_stride + j);
          [[unroll]] for (uint r = 0u; r < kRows; ++r) value[r * kColumns + c] += weight[r] * x;
        }
      }
    }
    barrier();
  }

  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    const uint t = t0 + r;
    if (t >= p.n_queries) break;
    const float inverse = sum[r] > 0.0 ? 1.0 / sum[r] : 0.0;
    [[unroll]] for (uint c = 0u; c < kColumns; ++c) {
      const uint j = c * lanes + lane;
      if (j < kHeadSize)
        y[p.y_offset + batch * p.y_batch_stride + t * p.y_stride + head * kHeadSize + j] = value[r * kColumns + c] * inverse;
    }
  }
}
