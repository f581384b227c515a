// y[b, i] = x[clamp(order[b], 0, n_batches - 1), i],  x: [B, I] f32 or f16, y: [N, I] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(constant_id = 1) const bool kHalfInput = false;

layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Order { int order[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform TakeBatchParams {
  uint n_elements; // of y
  uint batch_size; // I
  uint n_batches;  // B
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint to = i / p.batch_size;
    const uint from = uint(clamp(order[to], 0, int(p.n_batches) - 1));
    const uint k = from * p.batch_size + (i - to * p.batch_size);
    y[i] = kHalfInput ? half_at(x[k >> 1], k) : uintBitsToFloat(x[k]);
  }
}
