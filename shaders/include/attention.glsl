// The interface of the attention family, softmax taken online (Milakov and Gimelshein 2018; Dao et al. 2022):
//   y[t, h * K + j] = sum_s softmax_s(scale * q[t, h] . k[s, g] + bias) v[s, g, j]      g = h / (n_heads / n_kv_heads), j < K
// for each of n_batch batches. Rows of q and y hold n_heads heads of K adjacent elements, rows of k and v n_kv_heads.
// With a mask or a bias, k and v are both behind binding 1, and binding 2 holds the extras: mask words, then the bias.
// Include after kernel.glsl.
#include "step.glsl"

layout(constant_id = 1) const uint kCache = 0u;     // k and v: 0: f32, 1: f16, two to a word, 2: q8, scales after them
layout(constant_id = 2) const uint kCausal = 0u;    // 1: query t sees the keys s <= past + t
layout(constant_id = 3) const uint kHeadSize = 64u; // K
layout(constant_id = 4) const uint kExtras = 0u;    // 1: a mask, 2: a bias, 4: a window; or-ed

const bool kMask = (kExtras & 1u) != 0u, kBias = (kExtras & 2u) != 0u, kWindow = (kExtras & 4u) != 0u;

#include "attention_operands.glsl"
#ifndef FOVEA_Y_ACCESS
#define FOVEA_Y_ACCESS writeonly
#endif
layout(set = 0, binding = 3, std430) FOVEA_Y_ACCESS buffer Y { float y[]; };

layout(push_constant) uniform AttentionParams {
  uint n_heads;
  uint n_kv_heads;
  uint head_size; // K, the same as the specialization constant
  uint n_queries; // per batch
  uint n_batch;
  uint n_keys; // all of them, or a cache's capacity
  uint q_offset; // elements, as all offsets and strides
  uint k_offset;
  uint v_offset;
  uint y_offset;
  uint q_stride; // between rows
  uint k_stride;
  uint v_stride;
  uint y_stride;
  uint q_batch_stride;
  uint k_batch_stride; // 0: shared by all batches
  uint v_batch_stride;
  uint y_batch_stride;
  uint past_step; // step slot of the number of keys before query 0
  float scale;
  uint window; // keys that a query sees, its own position included
  uint mask_batch_stride;
  uint bias_offset; // in the extras
  uint bias_length; // distances per head, odd
  uint kv_elements; // of all of k, and of v: q8's scales come after so many bytes
} p;

// Keys that hold something.
uint valid_keys() {
  return p.past_step == kNoStep ? p.n_keys : min(step_value(p.past_step) + p.n_queries, p.n_keys);
}

// Keys that query t may see.
uint visible_keys(uint t) {
  const uint valid = valid_keys();
  return kCausal != 0u ? min(step_value(p.past_step) + t + 1u, valid) : valid;
}

// q8: which half-word of the binding is the scale of element i of a tensor that begins at element `begin`.
uint scale_of(uint i, uint begin) { return ((begin + p.kv_elements) >> 1) + ((i - begin) >> 5); }

float first_at(uint i, uint begin) { // behind binding 1
  if (kCache == 2u) {
    const uint at = scale_of(i, begin);
    return float(bitfieldExtract(int(k_word(i >> 2)), int(i & 3u) * 8, 8)) * half_at(k_word(at >> 1), at);
  }
  return kCache == 1u ? half_at(k_word(i >> 1), i) : uintBitsToFloat(k_word(i));
}
float second_at(uint i, uint begin) { // behind binding 2
  if (kCache == 2u) {
    const uint at = scale_of(i, begin);
    return float(bitfieldExtract(int(v_word(i >> 2)), int(i & 3u) * 8, 8)) * half_at(v_word(at >> 1), at);
  }
  return kCache == 1u ? half_at(v_word(i >> 1), i) : uintBitsToFloat(v_word(i));
}
float key_at(uint i) { return first_at(i, p.k_offset); }
float value_at(uint i) { return kMask || kBias ? first_at(i, p.v_offset) : second_at(i, p.v_offset); }

// The first key that query t may see.
uint first_key(uint t) {
  const uint next = step_value(p.past_step) + t + 1u;
  return kWindow && next > p.window ? next - p.window : 0u;
}

// Whether the mask lets key s through.
bool unmasked(uint batch, uint s) {
  return !kMask || v_word(batch * p.mask_batch_stride + min(s, p.n_keys - 1u)) != 0u;
}

float bias_at(uint head, uint t, uint s) {
  if (!kBias) return 0.0;
  const int length = int(p.bias_length);
  const int i = clamp(int(s) - int(step_value(p.past_step) + t) + length / 2, 0, length - 1);
  return uintBitsToFloat(v_word(p.bias_offset + head * p.bias_length + uint(i)));
}
