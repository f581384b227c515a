// moments[b, k, c] = mean of x[b, t, c] over the rows t of chunk k, and the sum of squared differences from it.
// Neighbouring invocations have neighbouring channels.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "group_norm.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Moments { float moments[]; };

void main() {
  const uint i = invocation();
  if (i >= p.n_batch * p.n_chunks * p.n_channels) return;
  const uint c = i % p.n_channels, chunk = i / p.n_channels % p.n_chunks, batch = i / p.n_channels / p.n_chunks;
  const uint first = chunk * p.chunk_rows, n = min(p.chunk_rows, p.n_rows - first);
  const uint begin = (batch * p.n_rows + first) * p.n_channels + c;

  float sum = 0.0;
  for (uint t = 0u; t < n; ++t) sum += x[begin + t * p.n_channels];
  const float mean = sum / float(n);
  float squares = 0.0;
  for (uint t = 0u; t < n; ++t) {
    const float centred = x[begin + t * p.n_channels] - mean;
    squares += centred * centred;
  }
  moments[2u * i] = mean;
  moments[2u * i + 1u] = squares;
}
