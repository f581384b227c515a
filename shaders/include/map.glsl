// Map kernels: y[i] depends on i alone. An invocation makes up to kMapRun elements, a workgroup's width apart, so that
// neighbours read neighbours; fewer, longer workgroups are what software drivers want and no GPU minds.
const uint kMapRun = 4u; // as in runtime/ops/map.h

// Number of this workgroup; select_row.h folds them over x and y.
uint workgroup_index() { return gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x; }

// FOVEA_MAP(i, n) { ... }: the body for each of this invocation's elements i < n. n <= 2^31.
#define FOVEA_MAP(i, n)                                                                                                \
  for (uint i = workgroup_index() * gl_WorkGroupSize.x * kMapRun + gl_LocalInvocationIndex, fovea_run = 0u;            \
       fovea_run < kMapRun && i < (n); ++fovea_run, i += gl_WorkGroupSize.x)
