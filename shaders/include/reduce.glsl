// Reductions over a workgroup of at most 128 invocations, a power of two; every invocation must call, and gets the
// result. With FOVEA_SUBGROUP the workgroup is one full subgroup: no shared memory, no barrier.
#ifdef FOVEA_SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
uint workgroup_lane() { return gl_SubgroupInvocationID; }
float workgroup_sum(float value) { return subgroupAdd(value); }
float workgroup_max(float value) { return subgroupMax(value); }
#else
shared float reduce_scratch[128];
uint workgroup_lane() { return gl_LocalInvocationIndex; }

#define FOVEA_REDUCE(name, combine)                                                                                    \
  float name(float value) {                                                                                            \
    const uint lane = gl_LocalInvocationIndex;                                                                         \
    barrier();                                                                                                         \
    reduce_scratch[lane] = value;                                                                                      \
    barrier();                                                                                                         \
    for (uint width = gl_WorkGroupSize.x / 2u; width > 0u; width >>= 1) {                                              \
      if (lane < width) reduce_scratch[lane] = combine(reduce_scratch[lane], reduce_scratch[lane + width]);            \
      barrier();                                                                                                       \
    }                                                                                                                  \
    return reduce_scratch[0];                                                                                          \
  }
#define FOVEA_PLUS(a, b) ((a) + (b))
FOVEA_REDUCE(workgroup_sum, FOVEA_PLUS)
FOVEA_REDUCE(workgroup_max, max)
#endif
