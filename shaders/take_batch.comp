// y[b, t, d] = x[clamp(order[b], 0, n_batches - 1), t, d],  x: [B, C, D] f32 or f16, y: [N, C, D] f32
// With kLimited, rows t >= the step value come from x[b].
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "step.glsl"

layout(constant_id = 1) const bool kHalfInput = false;
layout(constant_id = 2) const bool kLimited = false;

layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Order { int order[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform TakeBatchParams {
  uint n_elements; // of y
  uint batch_rows; // C
  uint row_length; // D
  uint n_batches;  // B
  uint rows;       // step slot
} p;

void main() {
  const uint limit = kLimited ? step_value(p.rows) : p.batch_rows;
  FOVEA_MAP(i, p.n_elements) {
    const uint row = i / p.row_length, to = row / p.batch_rows, t = row - to * p.batch_rows;
    const uint from = t < limit ? uint(clamp(order[to], 0, int(p.n_batches) - 1)) : to;
    const uint k = (from * p.batch_rows + t) * p.row_length + (i - row * p.row_length);
    y[i] = kHalfInput ? half_at(x[k >> 1], k) : uintBitsToFloat(x[k]);
  }
}
