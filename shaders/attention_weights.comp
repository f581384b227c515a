// y[b, h, t, s] = softmax_s(scale * q[b, t, h] . k[b, s, g] + bias) over the keys that query t sees, 0 elsewhere.
// One workgroup a row of y, which holds the scores in between: each invocation reads what it wrote itself.
#version 450
#extension GL_GOOGLE_include_directive : require
#define FOVEA_Y_ACCESS
#include "kernel.glsl"
#include "reduce.glsl"
#include "attention.glsl"

void main() {
  const uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint t = row % p.n_queries, head = row / p.n_queries % p.n_heads, batch = row / p.n_queries / p.n_heads;
  if (batch >= p.n_batch) return;
  const uint lane = workgroup_lane(), lanes = gl_WorkGroupSize.x;
  const uint begin = row * p.n_keys;
  const uint q0 = p.q_offset + batch * p.q_batch_stride + t * p.q_stride + head * kHeadSize;
  const uint k0 = p.k_offset + batch * p.k_batch_stride + head / (p.n_heads / p.n_kv_heads) * kHeadSize;
  const uint first = first_key(t), end = visible_keys(t);

  float highest = kLowest;
  for (uint s = lane; s < p.n_keys; s += lanes) {
    float score = kLowest;
    if (s >= first && s < end && unmasked(batch, s)) {
      score = 0.0;
      for (uint j = 0u; j < kHeadSize; ++j) score += q_word(q0 + j) * key_at(k0 + s * p.k_stride + j);
      score = score * p.scale + bias_at(head, t, s);
    }
    y[begin + s] = score;
    highest = max(highest, score);
  }
  highest = workgroup_max(highest);

  float sum = 0.0;
  for (uint s = lane; s < p.n_keys; s += lanes) {
    const float score = y[begin + s], weight = score == kLowest ? 0.0 : exp(score - highest);
    y[begin + s] = weight;
    sum += weight;
  }
  sum = workgroup_sum(sum);
  const float inverse = sum > 0.0 ? 1.0 / sum : 0.0;
  for (uint s = lane; s < p.n_keys; s += lanes) y[begin + s] *= inverse;
}
