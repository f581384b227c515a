// y[b, j, i] = x[b, i, j],  x: [B, n_rows, n_cols], y: [B, n_cols, n_rows] f32
// One workgroup a tile of 32 x 32, turned in shared memory, so that reads and writes are both of neighbours. The odd
// pitch keeps a column out of one memory bank.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform TransposeParams {
  uint n_tiles;
  uint tiles_j; // along n_cols
  uint tiles;   // of a batch
  uint n_rows;  // of x
  uint n_cols;
} p;

const uint kTile = 32u; // as in runtime/ops/transpose.cpp
shared float tile[kTile * (kTile + 1u)];

void main() {
  const uint group = workgroup_index();
  if (group >= p.n_tiles) return;
  const uint batch = group / p.tiles, inside = group - batch * p.tiles;
  const uint i0 = inside / p.tiles_j * kTile, j0 = inside % p.tiles_j * kTile;
  const uint pitch = kTile + 1u, begin = batch * p.n_rows * p.n_cols;
  for (uint n = gl_LocalInvocationIndex; n < kTile * kTile; n += gl_WorkGroupSize.x) {
    const uint i = n / kTile, j = n % kTile;
    if (i0 + i < p.n_rows && j0 + j < p.n_cols)
      tile[i * pitch + j] = x[begin + (i0 + i) * p.n_cols + j0 + j];
  }
  barrier();
  for (uint n = gl_LocalInvocationIndex; n < kTile * kTile; n += gl_WorkGroupSize.x) {
    const uint j = n / kTile, i = n % kTile;
    if (i0 + i < p.n_rows && j0 + j < p.n_cols)
      y[begin + (j0 + j) * p.n_rows + i0 + i] = tile[i * pitch + j];
  }
}
