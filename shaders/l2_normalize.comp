// y[n, d] = x[n, d] / max(sqrt(sum_i x[n, i]^2), epsilon),  x, y: [N, D] f32
// One workgroup a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "reduce.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform L2NormalizeParams {
  uint n_rows;
  uint row_length; // D
  float epsilon;
} p;

void main() {
  const uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (row >= p.n_rows) return;
  const uint begin = row * p.row_length;
  const uint lane = workgroup_lane(), lanes = gl_WorkGroupSize.x;

  float squares = 0.0;
  for (uint d = lane; d < p.row_length; d += lanes) squares += x[begin + d] * x[begin + d];
  const float inverse = 1.0 / max(sqrt(workgroup_sum(squares)), p.epsilon);

  for (uint d = lane; d < p.row_length; d += lanes) y[begin + d] = x[begin + d] * inverse;
}
