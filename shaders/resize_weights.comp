// Weights of a resize along one axis, as Pillow computes them: for each element of the result the first source element,
// how many there are, and what each weighs times 2^22.
//   centre c = (2 i + 1) from / (2 to), kept as whole part and remainder, which 32-bit floats would not hold
//   w[x] = f((x - c + 1/2) / stretch),  |x - c + 1/2| < support;  scaled to the sum 1
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(constant_id = 1) const uint kFilter = 0u; // enum ImageFilter in runtime/ops/resize_image.h

layout(set = 0, binding = 0, std430) writeonly buffer Weights { int weights[]; }; // [n, 2 + taps]

layout(push_constant) uniform ResizeWeightsParams {
  uint n_elements;
  uint row_length; // 2 + taps
  uint n_from;
  uint quotient; // of the first element's centre
  uint remainder;
  uint quotient_step; // from one centre to the next
  uint remainder_step;
  uint denominator;
  float support; // stretched
  float inverse_stretch;
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

float filter_value(float x) {
  if (kFilter == 2u) return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; // box
  x = abs(x);
  switch (kFilter) {
  case 3u: return x < 1.0 ? sinc(x) * (0.54 + 0.46 * sin_pi(x + 0.5)) : 0.0; // Hamming
  case 4u:
    return x < 1.0 ? (1.5 * x - 2.5) * x * x + 1.0 : x < 2.0 ? ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0 : 0.0; // bicubic
  case 5u: return x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;                                             // Lanczos
  default: return max(1.0 - x, 0.0);
  }
}

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint sum_of_remainders = p.remainder + i * p.remainder_step;
    const uint whole = p.quotient + i * p.quotient_step + sum_of_remainders / p.denominator;
    const float part = float(sum_of_remainders % p.denominator) / float(p.denominator);
    // Relative to `whole`, where floats are exact enough.
    const int low = int(floor(part - p.support + 0.5)), high = int(floor(part + p.support + 0.5));
    const int first = max(int(whole) + low, 0);
    const uint count = min(uint(max(min(int(whole) + high, int(p.n_from)) - first, 0)), p.row_length - 2u);

    const float from = float(first - int(whole)) - part + 0.5;
    float sum = 0.0;
    for (uint k = 0u; k < count; ++k) sum += filter_value((from + float(k)) * p.inverse_stretch);
    const float scale = sum != 0.0 ? 4194304.0 / sum : 0.0;
    const uint at = i * p.row_length;
    weights[at] = first;
    weights[at + 1u] = int(count);
    for (uint k = 0u; k < count; ++k) {
      const float w = filter_value((from + float(k)) * p.inverse_stretch) * scale;
      weights[at + 2u + k] = int(w + (w < 0.0 ? -0.5 : 0.5));
    }
  }
}
