// y[t, f] = x[t, f]^2 + x[t, F + f]^2,  x: [T, 2F], y: [T, F] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform PowerSpectrumParams {
  uint n_elements; // of y
  uint row_length; // F
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint from = i + i / p.row_length * p.row_length; // row t begins at 2 F t
    const float re = x[from], im = x[from + p.row_length];
    y[i] = re * re + im * im;
  }
}
