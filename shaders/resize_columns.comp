// y[r, j] = sum_k w[j, k] x[r, first[j] + k], bytes of RGB words, rounded: an image squeezed or stretched sideways
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "image.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Weights { int weights[]; }; // rows of resize_weights.comp
layout(set = 0, binding = 2, std430) writeonly buffer Y { uint y[]; };

layout(push_constant) uniform ResizeColumnsParams {
  uint n_elements; // of y: rows times columns
  uint n_columns;
  uint x_stride;
  uint x_offset; // words before the first row
  uint y_offset;
  uint weights_stride;
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint row = i / p.n_columns, at = (i % p.n_columns) * p.weights_stride;
    const uint begin = p.x_offset + row * p.x_stride + uint(weights[at]), count = uint(weights[at + 1u]);
    ivec3 sum = kHalf;
    for (uint k = 0u; k < count; ++k) sum += weights[at + 2u + k] * ivec3(unpack_rgb(x[begin + k]));
    y[p.y_offset + i] = pack_rgb(bytes_of(sum));
  }
}
