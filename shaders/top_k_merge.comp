// y[r, i] = (value, index) of the i-th largest element of x[r], i < k, from the best of each block (top_k_blocks.comp).
// x: [N, V], best: [N, n_blocks, 2], y: [N, k, 2] f32
// One workgroup a row. Each invocation keeps the blocks numbered lane, lane + lanes ... for itself, so only the
// reductions synchronize.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "reduce.glsl"
#include "candidate.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Best { float best[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform TopKMergeParams {
  uint n_rows;
  uint n_blocks; // <= kMaxBlocks
  uint row_length; // V
  uint block;
  uint k;
} p;

const uint kMaxBlocks = 1024u;
shared float block_value[kMaxBlocks];
shared float block_index[kMaxBlocks];

void main() {
  const uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (row >= p.n_rows) return;
  const uint lane = workgroup_lane(), lanes = gl_WorkGroupSize.x;
  const uint n_blocks = min(p.n_blocks, kMaxBlocks);

  for (uint j = lane; j < n_blocks; j += lanes) {
    block_value[j] = best[(row * p.n_blocks + j) * 2u];
    block_index[j] = best[(row * p.n_blocks + j) * 2u + 1u];
  }
  for (uint i = 0u; i < p.k; ++i) {
    Candidate own = kNobody;
    for (uint j = lane; j < n_blocks; j += lanes) {
      const Candidate other = Candidate(block_value[j], block_index[j]);
      if (before(other, own)) own = other;
    }
    const Candidate taken = workgroup_first(own);
    const uint index = uint(min(taken.index, float(p.row_length - 1u)));
    if (lane == 0u) {
      y[(row * p.k + i) * 2u] = taken.value;
      y[(row * p.k + i) * 2u + 1u] = float(index);
    }
    if (i + 1u == p.k) break;

    // The next best of that block: what comes after the element taken.
    const uint j = index / p.block, begin = j * p.block, end = min(begin + p.block, p.row_length);
    Candidate next = kNobody;
    for (uint n = begin + lane; n < end; n += lanes) {
      const Candidate other = Candidate(x[row * p.row_length + n], float(n));
      if (before(taken, other) && before(other, next)) next = other;
    }
    next = workgroup_first(next);
    if (j % lanes == lane) {
      block_value[j] = next.value;
      block_index[j] = next.index;
    }
  }
}
