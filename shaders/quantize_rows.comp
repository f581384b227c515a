// y[b, at + t, d] = x[b, t, d] in q8 (docs/format.md),  x: [B, T, D] f32, y: [B, C, D]: signed bytes, then one f16 scale
// for each 32 of a row; rows at + t >= C are dropped. An invocation makes a group of 32.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "step.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { vec4 x[]; };
layout(set = 0, binding = 1, std430) buffer Y { uint y[]; };

layout(push_constant) uniform QuantizeRowsParams {
  uint n_groups;
  uint row_groups; // D / 32
  uint batch_rows; // T
  uint capacity;   // C
  uint at;         // step slot
  uint n_elements; // of y
} p;

void main() {
  const uint i = (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
  if (i >= p.n_groups) return;
  const uint row = i / p.row_groups, batch = row / p.batch_rows, t = row - batch * p.batch_rows;
  const uint at = step_value(p.at);
  if (at >= p.capacity || t >= p.capacity - at) return;
  const uint to = (batch * p.capacity + at + t) * p.row_groups + (i - row * p.row_groups);

  vec4 largest = vec4(0.0);
  for (uint quad = 0u; quad < 8u; ++quad) largest = max(largest, abs(x[i * 8u + quad]));
  const float magnitude = max(max(largest.x, largest.y), max(largest.z, largest.w));
  const uint half_scale = packHalf2x16(vec2(min(magnitude / 127.0, 65504.0), 0.0));
  const float scale = unpackHalf2x16(half_scale).x;
  const float inverse = scale > 0.0 ? 1.0 / scale : 0.0;
  for (uint quad = 0u; quad < 8u; ++quad) {
    const uvec4 q = uvec4(ivec4(clamp(floor(x[i * 8u + quad] * inverse + 0.5), -127.0, 127.0))) & 255u;
    y[to * 8u + quad] = q.x | q.y << 8 | q.z << 16 | q.w << 24;
  }
  // Two scales share a word; the other is another invocation's, or of a row that must stay.
  const uint at_half = (p.n_elements >> 1) + to, shift = (at_half & 1u) * 16u;
  atomicAnd(y[at_half >> 1], ~(0xFFFFu << shift));
  atomicOr(y[at_half >> 1], half_scale << shift);
}
