// y[t, h, d] = scale * (x[t, h, d] cos a + sign * x[t, h, partner] sin a),  a = position(t) * frequencies[n]
// x: [N, H, K] f32, frequencies: [R], y: [B, C, H, K] f32, or f16 in pairs. Rows at y_at + t >= C are dropped.
// An invocation makes two neighbours of a row, in kHeads heads: the angle is theirs alone.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "step.glsl"
#include "sincos.glsl"

layout(constant_id = 2) const bool kHalfOutput = false;
layout(constant_id = 3) const bool kStart = false;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Frequencies { float frequencies[]; };
layout(set = 0, binding = 2, std430) readonly buffer Start { int start[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { uint y[]; };

layout(push_constant) uniform RopeParams {
  uint n_rows;        // N
  uint batch_rows;    // T
  uint n_heads;       // H
  uint head_size;     // K
  uint n_frequencies; // R
  uint capacity;      // C
  uint at;            // step slot: position of row 0
  uint y_at;          // step slot: row of y
  float scale;
} p;

const uint kHeads = 4u; // as in runtime/ops/rope.cpp

#include "rope.glsl"

void main() {
  const uint at = step_value(p.at), y_at = step_value(p.y_at);
  const uint pairs = p.head_size / 2u, head_groups = (p.n_heads + kHeads - 1u) / kHeads;
  FOVEA_MAP(i, p.n_rows * head_groups * pairs) {
    const uint pair = i % pairs, group = i / pairs % head_groups, row = i / pairs / head_groups;
    const uint batch = row / p.batch_rows, t = row - batch * p.batch_rows;
    if (y_at < p.capacity && t < p.capacity - y_at) {
      const uint passed = at + t;
      const uint hidden = kStart ? uint(max(start[batch], 0)) : 0u;
      const float position = float(passed - min(hidden, passed));
      const uint d = pair * 2u;
      const Turn a = turn(d, position), b = turn(d + 1u, position);
      for (uint h = group * kHeads; h < min((group + 1u) * kHeads, p.n_heads); ++h) {
        const uint from = (row * p.n_heads + h) * p.head_size;
        const uint to = ((batch * p.capacity + y_at + t) * p.n_heads + h) * p.head_size + d;
        const float first = x[from + d] * a.c + x[from + a.partner] * a.s;
        const float second = x[from + d + 1u] * b.c + x[from + b.partner] * b.s;
        if (kHalfOutput) {
          y[to >> 1] = packHalf2x16(vec2(first, second));
        } else {
          y[to] = floatBitsToUint(first);
          y[to + 1u] = floatBitsToUint(second);
        }
      }
    }
  }
}
