// y[b, d] = sum_t w[b, t] x[b, t, d],  x: [B, T, D], w: [B, T], y: [B, D] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Weights { float weights[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform WeightedSumParams {
  uint n_elements; // of y
  uint n_rows;     // T
  uint row_length; // D
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint batch = i / p.row_length, first_row = batch * p.n_rows;
    const uint at = first_row * p.row_length + (i - batch * p.row_length);
    float sum = 0.0;
    for (uint t = 0u; t < p.n_rows; ++t) sum += weights[first_row + t] * x[at + t * p.row_length];
    y[i] = sum;
  }
}
