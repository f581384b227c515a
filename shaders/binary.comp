// y[i] = f(a[i], b[i % n_b]), f32: b may repeat over a's leading dimensions
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(constant_id = 1) const uint kFunction = 0u; // enum BinaryFunction in runtime/ops/binary.h
layout(constant_id = 2) const bool kRepeats = false; // n_b < n_elements; a division costs more than the arithmetic

layout(set = 0, binding = 0, std430) readonly buffer A { float a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { float b[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform BinaryParams {
  uint n_elements;
  uint n_b;
} p;

float apply(float left, float right) {
  switch (kFunction) {
  case 1u: return left - right;
  case 2u: return left * right;
  case 3u: return max(left, right);
  case 4u: return min(left, right);
  default: return left + right;
  }
}

void main() {
  FOVEA_MAP(i, p.n_elements) y[i] = apply(a[i], b[kRepeats ? i % p.n_b : i]);
}
