// y[c, i] = x[i, c] scale[c] + offset[c],  x: [H W, 3], y: [3, H W] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Scale { float scale[]; };
layout(set = 0, binding = 2, std430) readonly buffer Offset { float offset[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform NormalizeImageParams {
  uint n_elements;
  uint n_pixels;
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint c = i / p.n_pixels;
    y[i] = x[(i % p.n_pixels) * 3u + c] * scale[c] + offset[c];
  }
}
