// y[n, d] = exp(scale (x[n, d] - max(x[n]))) / sum_i exp(scale (x[n, i] - max(x[n]))),  x, y: [N, D] f32; or log(y)
// One workgroup a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "reduce.glsl"

layout(constant_id = 1) const bool kLog = false;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform SoftmaxParams {
  uint n_rows;
  uint row_length; // D
  float scale;
} p;

void main() {
  const uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (row >= p.n_rows) return;
  const uint begin = row * p.row_length;
  const uint lane = workgroup_lane(), lanes = gl_WorkGroupSize.x;

  float highest = kLowest;
  for (uint d = lane; d < p.row_length; d += lanes) highest = max(highest, x[begin + d]);
  highest = workgroup_max(highest);

  // Below -150, exp() is 0; the bound keeps the product finite for masked elements (kLowest).
  float sum = 0.0;
  for (uint d = lane; d < p.row_length; d += lanes) sum += exp(max((x[begin + d] - highest) * p.scale, -150.0));
  sum = workgroup_sum(sum);
  const float inverse = 1.0 / sum, log_sum = log(sum);

  for (uint d = lane; d < p.row_length; d += lanes)
    y[begin + d] = kLog ? (x[begin + d] - highest) * p.scale - log_sum
                        : exp(max((x[begin + d] - highest) * p.scale, -150.0)) * inverse;
}
