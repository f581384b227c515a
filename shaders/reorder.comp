// x[b, i] = x[clamp(order[b], 0, B - 1), i] in place,  x: [B, C, D] of 32-bit words (f32, or f16 in pairs)
// An invocation moves one word of every batch, through registers; nobody else touches those words.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "step.glsl"

layout(constant_id = 1) const uint kBatches = 1u;     // B
layout(constant_id = 2) const bool kLimited = false; // rows from the step value on stay

layout(set = 0, binding = 0, std430) buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Order { int order[]; };

layout(push_constant) uniform ReorderParams {
  uint n_words; // of a batch
  uint row_words;
  uint rows; // step slot
} p;

void main() {
  uint n_words = p.n_words;
  if (kLimited) n_words = min(step_value(p.rows), p.n_words / p.row_words) * p.row_words;
  FOVEA_MAP(i, n_words) {
    uint word[kBatches];
    for (uint b = 0u; b < kBatches; ++b)
      word[b] = x[uint(clamp(order[b], 0, int(kBatches) - 1)) * p.n_words + i];
    for (uint b = 0u; b < kBatches; ++b) x[b * p.n_words + i] = word[b];
  }
}
