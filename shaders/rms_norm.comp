// y[n, h, d] = x[m, h, d] / sqrt(mean_i(x[m, h, i]^2) + eps) * gamma[d] + residual[n, h, d],  m = (n + 1) * row_stride - 1
// x: [N * row_stride, H, D], y and residual: [N, H, D] f32. row_stride 1: every row; T: the last of each T.
// One workgroup a head of a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "reduce.glsl"

layout(constant_id = 1) const uint kResidual = 0u;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Gamma { float gamma[]; };
layout(set = 0, binding = 2, std430) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform RmsNormParams {
  uint n_groups;     // N * H
  uint group_length; // D
  uint row_groups;   // H
  uint row_stride;
  float epsilon;
} p;

void main() {
  const uint group = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (group >= p.n_groups) return;
  const uint row = group / p.row_groups, head = group - row * p.row_groups;
  const uint from = (((row + 1u) * p.row_stride - 1u) * p.row_groups + head) * p.group_length;
  const uint to = group * p.group_length;
  const uint lane = workgroup_lane(), lanes = gl_WorkGroupSize.x;

  float squares = 0.0;
  for (uint d = lane; d < p.group_length; d += lanes) squares += x[from + d] * x[from + d];
  const float scale = inversesqrt(workgroup_sum(squares) / float(p.group_length) + p.epsilon);

  for (uint d = lane; d < p.group_length; d += lanes) {
    float v = x[from + d] * scale * gamma[d];
    if (kResidual != 0u) v += residual[to + d];
    y[to + d] = v;
  }
}
