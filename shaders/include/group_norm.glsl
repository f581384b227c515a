// The push constants of group normalization's three passes (runtime/ops/group_norm.h), x: [B, T, C]. Include after
// kernel.glsl.
layout(push_constant) uniform GroupNormParams {
  uint n_batch;
  uint n_rows;     // T
  uint n_channels; // C
  uint n_chunks;   // of rows
  uint chunk_rows;
  uint group_channels;
  float epsilon;
} p;

// Number of this invocation.
uint invocation() {
  return (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
}
