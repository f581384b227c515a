// y[i, j] = sum_k w[i, k] x[first[i] + k, j], bytes of RGB words to three floats each; 0 outside the resized image
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "image.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Weights { int weights[]; }; // rows of resize_weights.comp
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform ResizeRowsParams {
  uint n_elements; // pixels of y
  uint n_columns;  // of y
  uint row_begin;  // rows and columns of y that lie inside the resized image
  uint row_end;
  uint column_begin;
  uint column_end;
  uint x_stride;
  uint x_first_row;    // source row that x begins with
  uint x_first_column; // column of x that column_begin is made of
  uint weights_stride;
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint row = i / p.n_columns, column = i % p.n_columns;
    uvec3 rgb = uvec3(0u);
    if (row >= p.row_begin && row < p.row_end && column >= p.column_begin && column < p.column_end) {
      const uint at = (row - p.row_begin) * p.weights_stride, count = uint(weights[at + 1u]);
      uint from = (uint(weights[at]) - p.x_first_row) * p.x_stride + p.x_first_column + column - p.column_begin;
      ivec3 sum = kHalf;
      for (uint k = 0u; k < count; ++k, from += p.x_stride) sum += weights[at + 2u + k] * ivec3(unpack_rgb(x[from]));
      rgb = bytes_of(sum);
    }
    y[3u * i] = float(rgb.r);
    y[3u * i + 1u] = float(rgb.g);
    y[3u * i + 2u] = float(rgb.b);
  }
}
