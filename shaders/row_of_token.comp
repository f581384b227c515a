// y[b] = x[b, t],  t the first place in tokens[b] of one token, or of the highest,  x: [B, T, D], y: [B, D] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(constant_id = 1) const bool kHighest = false;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Tokens { int tokens[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform RowOfTokenParams {
  uint n_elements; // of y
  uint n_rows;     // T
  uint row_length; // D
  int id;
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint first = i / p.row_length * p.n_rows;
    uint at = 0u;
    for (uint k = p.n_rows; k > 0u; --k) { // from the end: the first one stays
      const int token = tokens[first + k - 1u];
      if (kHighest ? token >= tokens[first + at] : token == p.id) at = k - 1u;
    }
    y[i] = x[(first + at) * p.row_length + i % p.row_length];
  }
}
