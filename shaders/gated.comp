// y[n, d] = act(x[n, d]) * x[n, F + d],  x: [N, 2F], y: [N, F] f32. QUADS: four elements at a time, F % 4 == 0.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "activation.glsl"

layout(constant_id = 1) const uint kActivation = 0u; // enum Activation in runtime/kernels/select.h

#ifdef QUADS
#define ELEMENT vec4
vec4 activated(vec4 v) {
  return vec4(activate(kActivation, v.x), activate(kActivation, v.y), activate(kActivation, v.z),
              activate(kActivation, v.w));
}
#else
#define ELEMENT float
float activated(float v) { return activate(kActivation, v); }
#endif
layout(set = 0, binding = 0, std430) readonly buffer X { ELEMENT x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { ELEMENT y[]; };

layout(push_constant) uniform GatedParams {
  uint n_elements; // of y
  uint row_length; // F, in elements or quads like the other
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint gate = i + i / p.row_length * p.row_length;
    y[i] = activated(x[gate]) * x[gate + p.row_length];
  }
}
