// Weights of a resize along one axis, as Pillow computes them in doubles: for each element of the result the first source
// element, how many there are, and what each weighs times 2^22.
//   c = (2 i + 1) from / (2 to),  w[x] = f((x - c + 1/2) / stretch),  scaled to the sum 1
// Places are kept as whole numbers over 2 to, since 32-bit floats would not hold them.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "double_float.glsl"

layout(constant_id = 1) const uint kFilter = 0u; // enum ImageFilter in runtime/ops/resize_image.h

layout(set = 0, binding = 0, std430) writeonly buffer Weights { int weights[]; }; // [n, 2 + taps]

layout(push_constant) uniform ResizeWeightsParams {
  uint n_elements;
  uint row_length; // 2 + taps
  uint n_from;
  uint quotient; // the first element's centre is quotient + remainder / denominator
  uint remainder;
  uint quotient_step; // from one centre to the next
  uint remainder_step;
  uint denominator; // 2 to
  uint reach;       // half the filter's width, stretched, times the denominator
  uint scale;       // what the numerators of f's arguments are divided by
} p;

const float kPi = 3.14159265358979;

// sin(pi x); the built-in one may be off by 2^-11.
float sin_pi(float x) {
  const float whole = floor(x + 0.5);
  const float t = kPi * (x - whole), s = t * t;
  const float y =
      t * (1.0 + s * (-1.6666667e-1 + s * (8.3333333e-3 + s * (-1.9841270e-4 + s * (2.7557319e-6 - s * 2.5052108e-8)))));
  return (int(whole) & 1) == 0 ? y : -y;
}
float sinc(float x) { return x == 0.0 ? 1.0 : sin_pi(x) / (kPi * x); }

// f(numerator / scale)
vec2 filter_value(int numerator) {
  const int scale = int(p.scale);
  if (kFilter == 2u) return vec2(2 * numerator > -scale && 2 * numerator <= scale ? 1.0 : 0.0, 0.0); // box
  const int n = abs(numerator);
  if (kFilter == 0u) return n < scale ? df_div(df_of(scale - n), df_of(scale)) : vec2(0.0); // bilinear
  const vec2 x = df_div(df_of(n), df_of(scale));
  if (kFilter == 4u) { // bicubic
    if (n >= 2 * scale) return vec2(0.0);
    if (n < scale)
      return df_add(df_mul(df_mul(df_add(df_mul(x, vec2(1.5, 0.0)), vec2(-2.5, 0.0)), x), x), vec2(1.0, 0.0));
    const vec2 y = df_add(df_mul(x, vec2(-0.5, 0.0)), vec2(2.5, 0.0));
    return df_add(df_mul(df_add(df_mul(y, x), vec2(-4.0, 0.0)), x), vec2(2.0, 0.0));
  }
  if (kFilter == 3u) return vec2(n < scale ? sinc(x.x) * (0.54 + 0.46 * sin_pi(x.x + 0.5)) : 0.0, 0.0); // Hamming
  return vec2(n < 3 * scale ? sinc(x.x) * sinc(x.x / 3.0) : 0.0, 0.0);                                  // Lanczos
}

int floor_div(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint remainders = p.remainder + i * p.remainder_step;
    const int whole = int(p.quotient + i * p.quotient_step + remainders / p.denominator);
    const int part = int(remainders % p.denominator), half_step = int(p.denominator / 2u);
    const int low = floor_div(part - int(p.reach) + half_step, int(p.denominator));
    const int high = floor_div(part + int(p.reach) + half_step, int(p.denominator));
    const int first = max(whole + low, 0);
    const uint count = min(uint(max(min(whole + high, int(p.n_from)) - first, 0)), p.row_length - 2u);

    const int from = (first - whole) * int(p.denominator) - part + half_step;
    vec2 sum = vec2(0.0);
    for (uint k = 0u; k < count; ++k) sum = df_add(sum, filter_value(from + int(k * p.denominator)));
    const uint at = i * p.row_length;
    weights[at] = first;
    weights[at + 1u] = int(count);
    for (uint k = 0u; k < count; ++k) {
      const vec2 w = df_mul(df_div(filter_value(from + int(k * p.denominator)), sum), vec2(4194304.0, 0.0));
      // Rounded half away from zero.
      const float size = w.x < 0.0 ? -w.x : w.x, rest = w.x < 0.0 ? -w.y : w.y;
      const float below = floor(size);
      const int rounded = int(below) + int(floor((size - below) + rest + 0.5));
      weights[at + 2u + k] = w.x < 0.0 ? -rounded : rounded;
    }
  }
}
