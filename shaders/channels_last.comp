// y[b, i, c] = x[b, c, i] for c < C, 0 above,  x: [B, C, positions], y: [B, positions, C'] f32
// An invocation makes one position of few channels, so that both sides are read and written nearly in order.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform ChannelsLastParams {
  uint n_positions; // of all batches
  uint positions;   // of one
  uint channels;    // C
  uint y_channels;  // C'
} p;

void main() {
  FOVEA_MAP(i, p.n_positions) {
    const uint batch = i / p.positions, from = batch * p.channels * p.positions + i - batch * p.positions;
    for (uint c = 0u; c < p.y_channels; ++c)
      y[i * p.y_channels + c] = c < p.channels ? x[from + c * p.positions] : 0.0;
  }
}
