// Where attention reads q, k and v from: storage buffers or, with TEXELS, texel buffers, as in operands.glsl. k and v are
// words, since the cache's encoding is a specialization constant.
#ifdef TEXELS
layout(set = 0, binding = 0) uniform samplerBuffer q_texels;
layout(set = 0, binding = 1) uniform usamplerBuffer k_texels;
layout(set = 0, binding = 2) uniform usamplerBuffer v_texels;

float q_word(uint i) { return texelFetch(q_texels, int(i >> 2))[i & 3u]; }
uint k_word(uint i) { return texelFetch(k_texels, int(i >> 2))[i & 3u]; }
uint v_word(uint i) { return texelFetch(v_texels, int(i >> 2))[i & 3u]; }
vec4 q_vector(uint i) { return texelFetch(q_texels, int(i)); }
uvec4 k_vector(uint i) { return texelFetch(k_texels, int(i)); }
uvec4 v_vector(uint i) { return texelFetch(v_texels, int(i)); }
uvec2 k_pair(uint i) {
  const uvec4 both = k_vector(i >> 1);
  return (i & 1u) == 0u ? both.xy : both.zw;
}
uvec2 v_pair(uint i) {
  const uvec4 both = v_vector(i >> 1);
  return (i & 1u) == 0u ? both.xy : both.zw;
}
#else
layout(set = 0, binding = 0, std430) readonly buffer Q { float q[]; };
layout(set = 0, binding = 0, std430) readonly buffer QVectors { vec4 q_vectors[]; };
layout(set = 0, binding = 1, std430) readonly buffer Keys { uint k[]; };
layout(set = 0, binding = 1, std430) readonly buffer KeyPairs { uvec2 k_pairs[]; };
layout(set = 0, binding = 1, std430) readonly buffer KeyVectors { uvec4 k_vectors[]; };
layout(set = 0, binding = 2, std430) readonly buffer Values { uint v[]; };
layout(set = 0, binding = 2, std430) readonly buffer ValuePairs { uvec2 v_pairs[]; };
layout(set = 0, binding = 2, std430) readonly buffer ValueVectors { uvec4 v_vectors[]; };

float q_word(uint i) { return q[i]; }
uint k_word(uint i) { return k[i]; }
uint v_word(uint i) { return v[i]; }
vec4 q_vector(uint i) { return q_vectors[i]; }
uvec4 k_vector(uint i) { return k_vectors[i]; }
uvec4 v_vector(uint i) { return v_vectors[i]; }
uvec2 k_pair(uint i) { return k_pairs[i]; }
uvec2 v_pair(uint i) { return v_pairs[i]; }
#endif
