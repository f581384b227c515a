// linear, few rows: lanes run along K and a subgroup reads rows of W one after another, as they lie in memory: one stream,
// which a CPU fetches ahead. Each lane keeps what it needs of x in registers for all of the workgroup's columns.
// Needs: workgroup size == subgroup size, n_cols % kGroup == 0, rows of W and x aligned to 16 bytes, texel buffers.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "kernel.glsl"
#include "linear.glsl"
#include "weights.glsl"
#include "weights_vector.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const uint kRows = 1u;    // of x: all of them
layout(constant_id = 8) const uint kGroup = 1u;   // rows of W that fill whole vectors of all lanes; divides a block
layout(constant_id = 9) const uint kVectors = 1u; // of W per lane in a group
layout(constant_id = 10) const uint kNorm = 0u;   // of x's rows, on the way: 1 root mean square, 2 mean and variance

const uint kLayerNorm = 2u;
const uint kQuads = K_PER_VECTOR / 4u;

// What a norm multiplies by and adds, by element of a row.
layout(set = 0, binding = 7) uniform samplerBuffer gamma_texels;
layout(set = 0, binding = 8) uniform samplerBuffer beta_texels;

#if defined(W_Q8) || defined(W_Q4)
// The scales of a group, four to a texel.
layout(set = 0, binding = 6) uniform usamplerBuffer scale_quads;
#endif

// What the elements of a vector are multiples of: integers are left where they stand in their word, which saves a shift,
// and x is scaled in return. The first three bytes (seven nibbles) are read as unsigned, x_excess() of them too much.
#if defined(W_Q8)
vec4 x_scale(uint quad) { return vec4(1.0, 1.0 / 256.0, 1.0 / 65536.0, 1.0 / 16777216.0); }
float x_excess(uint quad, vec4 x) { return 128.0 * (x.x + x.y + x.z); }
vec4 unscaled_quad(uvec4 vector, uint quad) {
  const uint word = vector[quad] ^ 0x00808080u;
  return vec4(uvec3(word) & uvec3(0xFFu, 0xFF00u, 0xFF0000u), int(word & 0xFF000000u));
}
#elif defined(W_Q4)
vec4 x_scale(uint quad) {
  return (quad & 1u) == 0u ? vec4(1.0, 1.0 / 16.0, 1.0 / 256.0, 1.0 / 4096.0)
                           : vec4(1.0 / 65536.0, 1.0 / 1048576.0, 1.0 / 16777216.0, 1.0);
}
float x_excess(uint quad, vec4 x) { return 8.0 * (x.x + x.y + x.z + x.w); }
vec4 unscaled_quad(uvec4 vector, uint quad) {
  const uint word = vector[quad >> 1];
  if ((quad & 1u) == 0u) return vec4(ivec4(uvec4(word) & uvec4(0xFu, 0xF0u, 0xF00u, 0xF000u)));
  return vec4(ivec4(uvec3(word) & uvec3(0xF0000u, 0xF00000u, 0xF000000u), word >> 28));
}
#else
vec4 x_scale(uint quad) { return vec4(1.0); }
float x_excess(uint quad, vec4 x) { return 0.0; }
vec4 unscaled_quad(uvec4 vector, uint quad) { return weight_quad(vector, quad); }
#endif

// In all lanes. Shuffles with a constant lane are one instruction where a reduction is a loop.
float lanes_sum(float value) {
  float total = 0.0;
  [[unroll]] for (uint i = 0u; i < gl_WorkGroupSize.x; ++i) total += subgroupShuffle(value, i);
  return total;
}

void main() {
  const uint lane = gl_SubgroupInvocationID, lanes = gl_WorkGroupSize.x;
  const uint row_vectors = kVectors * lanes / kGroup;
  // Blocks of columns, two for each lane, in equal shares.
  const uint block = 2u * lanes, n_blocks = (p.n_cols + block - 1u) / block;
  const uint share = (n_blocks + gl_NumWorkGroups.x - 1u) / gl_NumWorkGroups.x * block, first = gl_WorkGroupID.x * share;
  if (first >= p.n_cols) return;

  vec4 raw[kRows * kVectors * kQuads], a[kRows * kVectors * kQuads];
  float excess[kRows * kVectors], mean[kRows], scale[kRows];
  [[unroll]] for (uint r = 0u; r < kRows; ++r) {
    const int begin = x_begin(r);
    [[unroll]] for (uint v = 0u; v < kVectors; ++v) {
      const uint k = (v * lanes + lane) % row_vectors * K_PER_VECTOR;
      [[unroll]] for (uint q = 0u; q < kQuads; ++q) {
        const int i = begin + int(k + 4u * q);
        raw[(r * kVectors + v) * kQuads + q] = x_inside(i) ? x_vector(i >> 2) : vec4(0.0);
      }
    }
    mean[r] = 0.0;
    scale[r] = 1.0;
    if (kNorm == kLayerNorm) {
      vec4 sum = vec4(0.0);
      [[unroll]] for (uint v = 0u; v < kVectors; ++v) {
        [[unroll]] for (uint q = 0u; q < kQuads; ++q) sum += raw[(r * kVectors + v) * kQuads + q];
      }
      mean[r] = lanes_sum(dot(sum, vec4(1.0))) / float(kVectors * lanes * K_PER_VECTOR);
    }
    if (kNorm != 0u) {
      vec4 sum = vec4(0.0);
      [[unroll]] for (uint v = 0u; v < kVectors; ++v) {
        [[unroll]] for (uint q = 0u; q < kQuads; ++q) {
          const vec4 d = raw[(r * kVectors + v) * kQuads + q] - mean[r];
          sum += d * d;
        }
      }
      scale[r] = inversesqrt(lanes_sum(dot(sum, vec4(1.0))) / float(kVectors * lanes * K_PER_VECTOR) + p.epsilon);
    }
  }
  [[unroll]] for (uint v = 0u; v < kVectors; ++v) {
    const uint first_gamma = (v * lanes + lane) % row_vectors * kQuads;
    vec4 gamma[kQuads], beta[kQuads];
    if (kNorm != 0u) {
      [[unroll]] for (uint q = 0u; q < kQuads; ++q) gamma[q] = texelFetch(gamma_texels, int(first_gamma + q));
    }
    if (kNorm == kLayerNorm) {
      [[unroll]] for (uint q = 0u; q < kQuads; ++q) beta[q] = texelFetch(beta_texels, int(first_gamma + q));
    }
    [[unroll]] for (uint r = 0u; r < kRows; ++r) {
      float sum = 0.0;
      [[unroll]] for (uint q = 0u; q < kQuads; ++q) {
        vec4 x = raw[(r * kVectors + v) * kQuads + q];
        if (kNorm != 0u) x = (x - mean[r]) * scale[r] * gamma[q];
        if (kNorm == kLayerNorm) x += beta[q];
        sum -= x_excess(q, x);
        a[(r * kVectors + v) * kQuads + q] = x * x_scale(q);
      }
      excess[r * kVectors + v] = sum;
    }
  }

  // Read once: in a loop the software driver would load them for each lane, each time.
  const uint end = min(first + share, p.n_cols);
  uint at = weight_row(first) + lane;
#if defined(W_Q8) || defined(W_Q4)
  const uint kScaleTexels = kVectors * lanes * K_PER_VECTOR / 128u; // of a group
  uint scale_at = ((p.s_offset + first * (p.k >> 5)) >> 2) + lane;
  const uint last_scales = ((p.s_offset + p.n_cols * (p.k >> 5)) >> 2) - 1u;
#endif
  for (uint n0 = first; n0 < end; n0 += block) {
    float even[kRows], odd[kRows];
    [[unroll]] for (uint r = 0u; r < kRows; ++r) even[r] = odd[r] = 0.0;
    const uint block_end = min(block, end - n0);
    for (uint n = 0u; n < block_end; n += kGroup) {
#if defined(W_Q8) || defined(W_Q4)
      uvec2 packed_scales[(kScaleTexels + lanes - 1u) / lanes];
      [[unroll]] for (uint i = 0u; i < packed_scales.length(); ++i)
        packed_scales[i] = texelFetch(scale_quads, int(min(scale_at + i * lanes, last_scales))).xy;
      scale_at += kScaleTexels;
#endif
      float sum[kRows * kGroup];
      [[unroll]] for (uint i = 0u; i < kRows * kGroup; ++i) sum[i] = 0.0;
      uvec4 vectors[kVectors];
      [[unroll]] for (uint v = 0u; v < kVectors; ++v) vectors[v] = w_vector(at + v * lanes);
      [[unroll]] for (uint v = 0u; v < kVectors; ++v) {
        const uvec4 vector = vectors[v];
        // Four sums, so that an addition need not wait for the one before.
        vec4 s[kRows];
        [[unroll]] for (uint r = 0u; r < kRows; ++r) s[r] = vec4(excess[r * kVectors + v], 0.0, 0.0, 0.0);
        [[unroll]] for (uint q = 0u; q < kQuads; ++q) {
          const vec4 b = unscaled_quad(vector, q);
          [[unroll]] for (uint r = 0u; r < kRows; ++r) s[r] = fma(a[(r * kVectors + v) * kQuads + q], b, s[r]);
        }
        float t[kRows];
        [[unroll]] for (uint r = 0u; r < kRows; ++r) t[r] = (s[r].x + s[r].y) + (s[r].z + s[r].w);
#if defined(W_Q8) || defined(W_Q4)
        const uint vector_scales = lanes * K_PER_VECTOR / 32u; // of a vector of all lanes
        const uint texel = v * vector_scales / 4u, before = v * vector_scales % 4u;
        const uint mine = before + lane * K_PER_VECTOR / 32u; // from the texel's first
        uvec2 four = subgroupShuffle(packed_scales[texel / lanes], texel % lanes);
        [[unroll]] for (uint i = 1u; i < vector_scales / 4u; ++i) {
          const uvec2 next = subgroupShuffle(packed_scales[(texel + i) / lanes], (texel + i) % lanes);
          four = mine / 4u == i ? next : four;
        }
        const float w_scale = unpackHalf2x16(((mine & 2u) == 0u ? four.x : four.y) >> ((mine & 1u) << 4)).x;
        [[unroll]] for (uint r = 0u; r < kRows; ++r) t[r] *= w_scale;
#endif
        // The rows of W that this vector of all lanes has a part of. (Mesa unrolls no loop whose bounds depend on v.)
        [[unroll]] for (uint g = 0u; g < kGroup; ++g) {
          if ((v + 1u) * lanes <= g * row_vectors || v * lanes >= (g + 1u) * row_vectors) continue;
          const bool whole = v * lanes >= g * row_vectors && (v + 1u) * lanes <= (g + 1u) * row_vectors;
          const bool part = whole || (v * lanes + lane) / row_vectors == g;
          [[unroll]] for (uint r = 0u; r < kRows; ++r) sum[r * kGroup + g] += part ? t[r] : 0.0;
        }
      }
      at += kVectors * lanes;
      [[unroll]] for (uint g = 0u; g < kGroup; ++g) {
        const uint c = n + g;
        const bool here = lane == c >> 1;
        [[unroll]] for (uint r = 0u; r < kRows; ++r) {
          const float total = lanes_sum(sum[r * kGroup + g]);
          if (kGroup > 1u ? (g & 1u) == 0u : (c & 1u) == 0u)
            even[r] = here ? total : even[r];
          else
            odd[r] = here ? total : odd[r];
        }
      }
    }
    const uint c = n0 + 2u * lane;
    const float bias0 = bias_at(min(c, p.n_cols - 1u)), bias1 = bias_at(min(c + 1u, p.n_cols - 1u));
    [[unroll]] for (uint r = 0u; r < kRows; ++r)
      store_pair(r, y_begin(r), c, even[r] + bias0, odd[r] + bias1);
  }
}
