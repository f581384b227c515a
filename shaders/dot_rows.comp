// y[i, j] = scale a[i] . b[j],  a: [N, D], b: [M, D], y: [N, M] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(constant_id = 1) const bool kScaled = false;

layout(set = 0, binding = 0, std430) readonly buffer A { float a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { float b[]; };
layout(set = 0, binding = 2, std430) readonly buffer Scale { float scale[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform DotRowsParams {
  uint n_elements; // of y
  uint n_columns;  // M
  uint row_length; // D
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint row = i / p.n_columns;
    const uint left = row * p.row_length, right = (i - row * p.n_columns) * p.row_length;
    float sum = 0.0;
    for (uint d = 0u; d < p.row_length; ++d) sum += a[left + d] * b[right + d];
    y[i] = kScaled ? sum * scale[0] : sum;
  }
}
