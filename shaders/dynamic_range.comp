// y[i] = (max(x[i], peak[0] - range) + offset) * scale, f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Peak { float peak[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform DynamicRangeParams {
  uint n_elements;
  float range;
  float offset;
  float scale;
} p;

void main() {
  const float lowest = peak[0] - p.range;
  FOVEA_MAP(i, p.n_elements) y[i] = (max(x[i], lowest) + p.offset) * p.scale;
}
