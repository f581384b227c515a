// y[o, j] = a[o, j + offset] for j < block_a, then b[o, ..], then c[o, ..]: blocks of elements side by side, for each o.
// A stride of 0 repeats the same block for every o. QUADS: four elements at a time.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

#ifdef QUADS
#define ELEMENT vec4
#else
#define ELEMENT float
#endif
layout(set = 0, binding = 0, std430) readonly buffer A { ELEMENT a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { ELEMENT b[]; };
layout(set = 0, binding = 2, std430) readonly buffer C { ELEMENT c[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { ELEMENT y[]; };

layout(push_constant) uniform ConcatParams {
  uint n_elements; // of y
  uint block;      // of y: those of a, b and c together
  uint block_a;
  uint block_b;
  uint offset; // into a's blocks
  uint stride_a;
  uint stride_b;
  uint stride_c;
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint outer = i / p.block, j = i - outer * p.block, ab = p.block_a + p.block_b;
    if (j < p.block_a)
      y[i] = a[outer * p.stride_a + p.offset + j];
    else if (j < ab)
      y[i] = b[outer * p.stride_b + j - p.block_a];
    else
      y[i] = c[outer * p.stride_c + j - ab];
  }
}
