// y[i] = the sum of 4 CHAINS values, each v := v * factor + term, 8 n_rounds times: all in registers
// How fast multiplications with additions are (runtime/exec/device_bounds.h).
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"

layout(set = 0, binding = 0, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform MeasureFmaParams {
  uint n_rounds;
  float factor;
  float term;
} p;

void main() {
  const uint i = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
  const vec4 factor = vec4(p.factor), term = vec4(p.term);
  vec4 v[CHAINS];
  for (uint c = 0; c < CHAINS; ++c) v[c] = vec4(0.0, 0.25, 0.5, 0.75) + float(i & 7u) * 0.03125 + float(c) * 0.125;
  for (uint round = 0; round < p.n_rounds; ++round)
    for (uint k = 0; k < 8; ++k)
      for (uint c = 0; c < CHAINS; ++c) v[c] = fma(v[c], factor, term);
  vec4 sum = vec4(0.0);
  for (uint c = 0; c < CHAINS; ++c) sum += v[c];
  y[i] = sum.x + sum.y + sum.z + sum.w;
}
