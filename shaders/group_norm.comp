// y[b, t, c] = act(a[b, c] x[b, t, c] + o[b, c]),  x, y: [B, T, C] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "activation.glsl"
#include "group_norm.glsl"
#include "map.glsl"

layout(constant_id = 1) const uint kActivation = 0u;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Scales { float scales[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

void main() {
  const uint batch_elements = p.n_rows * p.n_channels;
  FOVEA_MAP(i, p.n_batch * batch_elements) {
    const uint at = 2u * (i / batch_elements * p.n_channels + i % p.n_channels);
    y[i] = activate(kActivation, scales[at] * x[i] + scales[at + 1u]);
  }
}
