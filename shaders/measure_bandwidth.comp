// sums[i] = the sum of all that invocation i reads of x, wrapping around; x: N vectors of 16 bytes
// How fast memory is read (runtime/exec/device_bounds.h). Workgroup g of G reads blocks g, g + G, g + 2 G … of the
// n_blocks there are, around and around; a block is 16 vectors for each invocation, neighbours side by side.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"

#ifdef TEXELS
layout(set = 0, binding = 0) uniform usamplerBuffer x;
uvec4 x_at(uint i) { return texelFetch(x, int(i)); }
#else
layout(set = 0, binding = 0, std430) readonly buffer X { uvec4 x[]; };
uvec4 x_at(uint i) { return x[i]; }
#endif
layout(set = 0, binding = 1, std430) writeonly buffer Sums { uint sums[]; };

layout(push_constant) uniform MeasureBandwidthParams {
  uint n_blocks;
  uint n_passes;
} p;

const uint kVectors = 16; // of a block, for each invocation: kBlockVectors in device_bounds.cpp

void main() {
  const uint lane = gl_LocalInvocationIndex, lanes = gl_WorkGroupSize.x;
  uvec4 sum = uvec4(0);
  for (uint pass = 0; pass < p.n_passes; ++pass) {
    const uint block = (pass * gl_NumWorkGroups.x + gl_WorkGroupID.x) % p.n_blocks;
    const uint first = block * kVectors * lanes + lane;
    for (uint i = 0; i < kVectors; ++i) sum += x_at(first + i * lanes);
  }
  sums[gl_WorkGroupID.x * lanes + lane] = sum.x + sum.y + sum.z + sum.w;
}
