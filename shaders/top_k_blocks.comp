// best[r, j] = (value, index) of the largest element of x[r, j * block .. min((j + 1) * block, V)),  x: [N, V] f32
// One workgroup a block.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "reduce.glsl"
#include "candidate.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Best { float best[]; };

layout(push_constant) uniform TopKBlocksParams {
  uint n_groups; // N * n_blocks
  uint n_blocks; // of a row
  uint row_length; // V
  uint block;
} p;

void main() {
  const uint group = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (group >= p.n_groups) return;
  const uint row = group / p.n_blocks, begin = (group - row * p.n_blocks) * p.block;
  const uint end = min(begin + p.block, p.row_length);

  Candidate own = kNobody;
  for (uint i = begin + workgroup_lane(); i < end; i += gl_WorkGroupSize.x) {
    const float value = x[row * p.row_length + i];
    if (value > own.value) own = Candidate(value, float(i));
  }
  const Candidate first = workgroup_first(own);
  if (workgroup_lane() == 0u) {
    best[group * 2u] = first.value;
    best[group * 2u + 1u] = first.index;
  }
}
