// y[t, d] += positions[clamp(at + t % batch_tokens), d],  y: [N, D], positions: [C, D] f32
// The end of an embed whose table is split (embed.comp).
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "step.glsl"

layout(set = 0, binding = 0, std430) readonly buffer Positions { float positions[]; };
layout(set = 0, binding = 1, std430) buffer Y { float y[]; };

layout(push_constant) uniform EmbedPositionsParams {
  uint n_elements; // of y
  uint row_length; // D
  uint batch_tokens;
  uint n_positions; // C
  uint at;          // step slot
} p;

void main() {
  const uint last_position = p.n_positions - 1u, at = min(step_value(p.at), last_position);
  FOVEA_MAP(i, p.n_elements) {
    const uint t = i / p.row_length, d = i - t * p.row_length;
    y[i] += positions[min(at + t % p.batch_tokens, last_position) * p.row_length + d];
  }
}
