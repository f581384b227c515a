// y[n, d] = (x[n, d] - mean(x[n])) / sqrt(var(x[n]) + eps) * gamma[d] + beta[d]        x, y: [N, D] f32
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
  uint n_rows;
  uint row_length; // D
  float epsilon;
} p;

void main() {
  const uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (row >= p.n_rows) return;
  const uint begin = row * p.row_length;
  const uint lane = gl_LocalInvocationIndex, lanes = gl_WorkGroupSize.x;

  float sum = 0.0;
  for (uint d = lane; d < p.row_length; d += lanes) sum += x[begin + d];
  const float mean = workgroup_sum(sum) / float(p.row_length);

  float squares = 0.0;
  for (uint d = lane; d < p.row_length; d += lanes) {
    const float centred = x[begin + d] - mean;
    squares += centred * centred;
  }
  const float scale = inversesqrt(workgroup_sum(squares) / float(p.row_length) + p.epsilon);

  for (uint d = lane; d < p.row_length; d += lanes)
    y[begin + d] = (x[begin + d] - mean) * scale * gamma[d] + beta[d];
}
