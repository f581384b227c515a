// What attention binds as extras when it has a mask and a bias: the words of the mask, then those of the bias.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer Mask { uint mask[]; };
layout(set = 0, binding = 1, std430) readonly buffer Bias { uint bias[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { uint y[]; };

layout(push_constant) uniform AttentionExtrasParams {
  uint n_mask;
  uint n_bias;
} p;

void main() {
  FOVEA_MAP(i, p.n_mask + p.n_bias) { y[i] = i < p.n_mask ? mask[i] : bias[i - p.n_mask]; }
}
