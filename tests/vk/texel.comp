// y[i] = a[i] * step + float(w[i]), four at a time: every kind of binding that a kernel may have.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "step.glsl"

layout(set = 0, binding = 0) uniform samplerBuffer a;
layout(set = 0, binding = 1) uniform usamplerBuffer w;
layout(set = 0, binding = 2, std430) readonly buffer Unused { float unused[]; };
layout(set = 0, binding = 3, std430) buffer Y { vec4 y[]; };
layout(constant_id = 1) const uint kOffset = 0;
layout(push_constant) uniform Params {
  uvec2 n_and_slot;
  float scales[3];
  uint last;
} p;

void main() {
  const uint i = gl_GlobalInvocationID.x;
  if (i >= p.n_and_slot.x) return;
  const float step = float(step_value(p.n_and_slot.y)) * p.scales[2];
  y[i] = texelFetch(a, int(i)) * step + vec4(texelFetch(w, int(i))) + float(kOffset);
}
