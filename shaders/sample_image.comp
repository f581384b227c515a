// Pixels of an image at points: nearest, bilinear or bicubic (a = -3/4) between the pixels around each, edges repeated,
// rounded to bytes as floats; 0 outside the resized image.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "image.glsl"

layout(constant_id = 1) const uint kTaps = 1u; // each way: 1 nearest, 2 bilinear, 4 bicubic

layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform SampleImageParams {
  uint n_elements; // pixels of y
  uint n_columns;  // of y
  uint height;     // of x
  uint width;
  uint row_begin; // rows and columns of y that lie inside the resized image
  uint row_end;
  uint column_begin;
  uint column_end;
  uint row_quotient; // centres, as in resize_weights.comp
  uint row_remainder;
  uint row_quotient_step;
  uint row_remainder_step;
  uint row_denominator;
  uint column_quotient;
  uint column_remainder;
  uint column_quotient_step;
  uint column_remainder_step;
  uint column_denominator;
} p;

// First element and weights for a centre at whole + part.
int taps(uint whole, float part, out float w[4]) {
  w[0] = 1.0;
  w[1] = w[2] = w[3] = 0.0;
  if (kTaps == 1u) return int(whole);
  int first = int(whole);
  float t = part - 0.5;
  if (t < 0.0) {
    first -= 1;
    t += 1.0;
  }
  if (kTaps == 2u) {
    if (first < 0) return 0; // left of the first centre
    w[0] = 1.0 - t;
    w[1] = t;
    return first;
  }
  const float u = 1.0 - t, a = 1.0 + t, b = 2.0 - t;
  w[0] = ((-0.75 * a + 3.75) * a - 6.0) * a + 3.0;
  w[1] = (1.25 * t - 2.25) * t * t + 1.0;
  w[2] = (1.25 * u - 2.25) * u * u + 1.0;
  w[3] = ((-0.75 * b + 3.75) * b - 6.0) * b + 3.0;
  return first - 1;
}

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint row = i / p.n_columns, column = i % p.n_columns;
    vec3 rgb = vec3(0.0);
    if (row >= p.row_begin && row < p.row_end && column >= p.column_begin && column < p.column_end) {
      const uint r = p.row_remainder + (row - p.row_begin) * p.row_remainder_step;
      const uint c = p.column_remainder + (column - p.column_begin) * p.column_remainder_step;
      float row_weights[4], column_weights[4];
      const int first_row = taps(p.row_quotient + (row - p.row_begin) * p.row_quotient_step + r / p.row_denominator,
                                 float(r % p.row_denominator) / float(p.row_denominator), row_weights);
      const int first_column =
          taps(p.column_quotient + (column - p.column_begin) * p.column_quotient_step + c / p.column_denominator,
               float(c % p.column_denominator) / float(p.column_denominator), column_weights);
      for (uint j = 0u; j < kTaps; ++j) {
        const uint from = uint(clamp(first_row + int(j), 0, int(p.height) - 1)) * p.width;
        vec3 sum = vec3(0.0);
        for (uint k = 0u; k < kTaps; ++k)
          sum += column_weights[k] *
                 vec3(unpack_rgb(x[from + uint(clamp(first_column + int(k), 0, int(p.width) - 1))]));
        rgb += row_weights[j] * sum;
      }
      rgb = clamp(roundEven(rgb), vec3(0.0), vec3(255.0));
    }
    y[3u * i] = rgb.r;
    y[3u * i + 1u] = rgb.g;
    y[3u * i + 2u] = rgb.b;
  }
}
