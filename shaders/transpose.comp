// y[b, j, i] = x[b, i, j],  x: [B, n_rows, n_cols], y: [B, n_cols, n_rows] f32
// Writes are contiguous, reads are a column apart.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform TransposeParams {
  uint n_elements;
  uint n_rows; // of x
  uint n_cols;
} p;

void main() {
  const uint area = p.n_rows * p.n_cols;
  FOVEA_MAP(k, p.n_elements) {
    const uint batch = k / area, inside = k - batch * area;
    const uint j = inside / p.n_rows, i = inside - j * p.n_rows;
    y[k] = x[batch * area + i * p.n_cols + j];
  }
}
