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

// Written out, in variables: some drivers run loops as they stand, and keep arrays in memory.
#define STEP(v) v = fma(v, factor, term);
#if CHAINS == 2
#define EACH(f) f(v0) f(v1)
#elif CHAINS == 4
#define EACH(f) f(v0) f(v1) f(v2) f(v3)
#elif CHAINS == 8
#define EACH(f) f(v0) f(v1) f(v2) f(v3) f(v4) f(v5) f(v6) f(v7)
#endif
#define START(v) vec4 v = start; start += 0.125;
#define ADD(v) sum += v;

void main() {
  const uint i = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
  const vec4 factor = vec4(p.factor), term = vec4(p.term);
  vec4 start = vec4(0.0, 0.25, 0.5, 0.75) + float(i & 7u) * 0.03125;
  EACH(START)
  for (uint round = 0; round < p.n_rounds; ++round) {
    EACH(STEP) EACH(STEP) EACH(STEP) EACH(STEP)
    EACH(STEP) EACH(STEP) EACH(STEP) EACH(STEP)
  }
  vec4 sum = vec4(0.0);
  EACH(ADD)
  y[i] = sum.x + sum.y + sum.z + sum.w;
}
