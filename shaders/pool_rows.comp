// y[b, d] = f over the rows t with mask[b, t] != 0 of x[b, t, d],  x: [B, T, D], y: [B, D] f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(constant_id = 1) const uint kFunction = 0u; // enum PoolFunction in runtime/ops/pool_rows.h
layout(constant_id = 2) const bool kMasked = false;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Mask { int mask[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform PoolRowsParams {
  uint n_elements; // of y
  uint n_rows;     // T
  uint row_length; // D
} p;

const uint kMean = 0u, kMax = 1u, kFirst = 2u, kLast = 3u;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint batch = i / p.row_length, first_row = batch * p.n_rows;
    const uint at = first_row * p.row_length + (i - batch * p.row_length);
    float sum = 0.0, largest = kLowest, last = 0.0;
    uint n_seen = 0u;
    const uint n_rows = kFunction == kFirst ? 0u : p.n_rows;
    for (uint t = 0u; t < n_rows; ++t)
      if (!kMasked || mask[first_row + t] != 0) {
        last = x[at + t * p.row_length];
        largest = max(largest, last);
        sum += last;
        ++n_seen;
      }
    const float n = float(max(n_seen, 1u));
    switch (kFunction) {
    case kMean: y[i] = sum / n; break;
    case kMax: y[i] = n_seen == 0u ? 0.0 : largest; break;
    case kFirst: y[i] = x[at]; break;
    case kLast: y[i] = last; break;
    default: y[i] = sum / sqrt(n); break;
    }
  }
}
