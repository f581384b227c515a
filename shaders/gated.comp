// y[n, d] = act(x[n, d]) * x[n, F + d],  x: [N, 2F], y: [N, F] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "activation.glsl"

layout(constant_id = 1) const uint kActivation = 0u; // enum Activation in runtime/kernels/select.h

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform GatedParams {
  uint n_elements; // of y
  uint row_length; // F
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint gate = i + i / p.row_length * p.row_length;
    y[i] = activate(kActivation, x[gate]) * x[gate + p.row_length];
  }
}
