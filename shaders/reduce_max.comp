// y[r] = max of x[r * L .. min((r + 1) * L, n_elements)), f32
// One workgroup a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "reduce.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform ReduceMaxParams {
  uint n_rows;
  uint row_length; // L
  uint n_elements; // of x; the last row may be shorter
} p;

void main() {
  const uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (row >= p.n_rows) return;
  const uint begin = row * p.row_length, length = min(p.row_length, p.n_elements - begin);

  float highest = x[begin];
  for (uint i = workgroup_lane(); i < length; i += gl_WorkGroupSize.x) highest = max(highest, x[begin + i]);
  highest = workgroup_max(highest);
  if (workgroup_lane() == 0u) y[row] = highest;
}
