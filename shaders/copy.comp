// y[b, at + t, d] = x[b, t, d],  x: [B, T, D], y: [B, C, D]; rows at + t >= C are dropped.
// Both are f32, or f16 in pairs; one invocation makes two neighbours, so that it writes whole words. Rows of an f16 y
// have even length.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "step.glsl"

layout(constant_id = 1) const bool kHalfInput = false;
layout(constant_id = 2) const bool kHalfOutput = false;

layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { uint y[]; };

layout(push_constant) uniform CopyParams {
  uint n_pairs;
  uint row_length; // D
  uint batch_rows; // T
  uint capacity;   // C
  uint at;         // step slot
} p;

float x_at(uint i) { return kHalfInput ? half_at(x[i >> 1], i) : uintBitsToFloat(x[i]); }

void main() {
  const uint at = step_value(p.at);
  const uint row_pairs = (p.row_length + 1u) / 2u;
  FOVEA_MAP(i, p.n_pairs) {
    const uint row = i / row_pairs, d = (i - row * row_pairs) * 2u;
    const uint batch = row / p.batch_rows, t = row - batch * p.batch_rows;
    if (at < p.capacity && t < p.capacity - at) {
      const uint from = row * p.row_length + d;
      const uint to = (batch * p.capacity + at + t) * p.row_length + d;
      const bool whole = d + 1u < p.row_length;
      const float first = x_at(from), second = whole ? x_at(from + 1u) : 0.0;
      if (kHalfOutput) {
        y[to >> 1] = packHalf2x16(vec2(first, second));
      } else {
        y[to] = floatBitsToUint(first);
        if (whole) y[to + 1u] = floatBitsToUint(second);
      }
    }
  }
}
