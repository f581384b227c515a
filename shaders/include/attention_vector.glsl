// Four adjacent elements of q, k and v at a time, where all offsets and strides allow it (select.cpp), and one place
// for four adjacent outputs. Include after attention.glsl, with the subgroup extensions on.
layout(set = 0, binding = 3, std430) writeonly buffer YVectors { vec4 y_vectors[]; };

vec4 four_halves(uvec2 words) { return vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y)); }

// Elements i .. i + 3; i % 4 == 0.
float first_scale(uint i, uint begin) {
  const uint at = scale_of(i, begin);
  return half_at(k_word(at >> 1), at);
}
float second_scale(uint i, uint begin) {
  const uint at = scale_of(i, begin);
  return half_at(v_word(at >> 1), at);
}
vec4 first_quad(uint i, uint begin) {
  if (kCache == 2u) return bytes_to_vec4(k_word(i >> 2)) * first_scale(i, begin);
  return kCache == 1u ? four_halves(k_pair(i >> 2)) : uintBitsToFloat(k_vector(i >> 2));
}
vec4 key_quad(uint i) { return first_quad(i, p.k_offset); }
vec4 value_quad(uint i) {
  if (kMask || kBias) return first_quad(i, p.v_offset);
  if (kCache == 2u) return bytes_to_vec4(v_word(i >> 2)) * second_scale(i, p.v_offset);
  return kCache == 1u ? four_halves(v_pair(i >> 2)) : uintBitsToFloat(v_vector(i >> 2));
}
// q8's scale of what holds element i; 1 for others.
float key_scale(uint i) { return kCache == 2u ? first_scale(i, p.k_offset) : 1.0; }
float value_scale(uint i) {
  if (kCache != 2u) return 1.0;
  return kMask || kBias ? first_scale(i, p.v_offset) : second_scale(i, p.v_offset);
}

// Scores of keys s .. s + 3 with bias; kLowest where query t does not see one.
vec4 seen_scores(vec4 x, uint head, uint t, uint s, bvec4 open) {
  const uint first = first_key(t), visible = visible_keys(t);
  [[unroll]] for (uint i = 0u; i < 4u; ++i) {
    const bool seen = s + i < visible && (!kWindow || s + i >= first) && (!kMask || open[i]);
    x[i] = seen ? x[i] + bias_at(head, t, s + i) : kLowest;
  }
  return x;
}

bvec4 unmasked_quad(uint batch, uint s) {
  if (!kMask) return bvec4(true);
  return bvec4(unmasked(batch, s), unmasked(batch, s + 1u), unmasked(batch, s + 2u), unmasked(batch, s + 3u));
}

// exp(x - largest). Without gaps every row sees key 0, so largest is a real score from the first block on; with them
// a whole block may be hidden.
vec4 softmax_weights(vec4 x, float largest) {
  const vec4 weight = exp(x - largest);
  return kMask || kWindow ? mix(weight, vec4(0.0), equal(x, vec4(kLowest))) : weight;
}

// The largest of all lanes' values.
float largest_of(float x) {
  if (gl_WorkGroupSize.x > 16u) return subgroupMax(x);
  float m = x;
  [[unroll]] for (uint l = 0u; l < gl_WorkGroupSize.x; ++l) m = max(m, subgroupShuffle(x, l));
  return m;
}
