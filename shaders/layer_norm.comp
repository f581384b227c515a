// y[n, d] = (x[m, d] - mean(x[m])) / sqrt(var(x[m]) + eps) * gamma[d] + beta[d],  m = (n + 1) * row_stride - 1
// x: [N * row_stride, D], y: [N, D] f32. row_stride 1: every row; T: the last of each T.
// One workgroup a row; the variance is taken in a second pass over the row, as the reference does.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "reduce.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Gamma { float gamma[]; };
layout(set = 0, binding = 2, std430) readonly buffer Beta { float beta[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform LayerNormParams {
  uint n_rows;     // of y
  uint row_length; // D
  uint row_stride;
  float epsilon;
} p;

void main() {
  const uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (row >= p.n_rows) return;
  const uint from = ((row + 1u) * p.row_stride - 1u) * p.row_length, to = row * p.row_length;
  const uint lane = workgroup_lane(), lanes = gl_WorkGroupSize.x;

  float sum = 0.0;
  for (uint d = lane; d < p.row_length; d += lanes) sum += x[from + d];
  const float mean = workgroup_sum(sum) / float(p.row_length);

  float squares = 0.0;
  for (uint d = lane; d < p.row_length; d += lanes) {
    const float centred = x[from + d] - mean;
    squares += centred * centred;
  }
  const float scale = inversesqrt(workgroup_sum(squares) / float(p.row_length) + p.epsilon);

  for (uint d = lane; d < p.row_length; d += lanes)
    y[to + d] = (x[from + d] - mean) * scale * gamma[d] + beta[d];
}
