// y = sum_k w[i, k] x[first[i] + k] along one axis of an image of RGB words, rounded to bytes: the pass of a resize that
// squeezes or stretches columns (i counts columns) or rows. The last pass makes three floats of each word, with 0 outside
// the resized image.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "image.glsl"

layout(constant_id = 1) const bool kRows = false; // i counts rows of y, else columns
layout(constant_id = 2) const bool kLast = false;

layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Weights { int weights[]; }; // rows of resize_weights.comp
layout(set = 0, binding = 2, std430) writeonly buffer Y { uint y[]; };

layout(push_constant) uniform ResizeAxisParams {
  uint n_elements; // pixels of y
  uint n_columns;  // of y
  uint row_begin;  // rows and columns of y that lie inside the resized image
  uint row_end;
  uint column_begin;
  uint column_end;
  uint along_step; // words of x from one tap to the next
  uint across_step;
  int x_offset; // words from x's start to tap 0 of the first row or column across
  uint y_offset;
  uint weights_offset; // ints before the weights of the first row or column
  uint weights_stride;
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint row = i / p.n_columns, column = i % p.n_columns;
    uvec3 rgb = uvec3(0u);
    if (row >= p.row_begin && row < p.row_end && column >= p.column_begin && column < p.column_end) {
      const uint down = row - p.row_begin, right = column - p.column_begin;
      const uint at = p.weights_offset + (kRows ? down : right) * p.weights_stride;
      const uint count = uint(weights[at + 1u]);
      uint from = uint(p.x_offset + weights[at] * int(p.along_step)) + (kRows ? right : down) * p.across_step;
      ivec3 sum = kHalf;
      for (uint k = 0u; k < count; ++k, from += p.along_step) sum += weights[at + 2u + k] * ivec3(unpack_rgb(x[from]));
      rgb = bytes_of(sum);
    }
    if (kLast) {
      y[3u * i] = floatBitsToUint(float(rgb.r));
      y[3u * i + 1u] = floatBitsToUint(float(rgb.g));
      y[3u * i + 2u] = floatBitsToUint(float(rgb.b));
    } else {
      y[p.y_offset + i] = pack_rgb(rgb);
    }
  }
}
