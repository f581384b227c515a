// y[i] = scale * f(max(x[i], minimum)), f32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "activation.glsl"

layout(constant_id = 1) const uint kFunction = 0u; // enum UnaryFunction in runtime/ops/unary.h

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform UnaryParams {
  uint n_elements;
  float minimum;
  float scale;
} p;

float apply(float v) {
  switch (kFunction) {
  case 11u: return exp(v);
  case 12u: return log(v);
  case 13u: return log(v) * 0.43429448190325183; // log10
  case 14u: return sqrt(v);
  case 15u: return -v;
  case 16u: return abs(v);
  default: return activate(kFunction, v);
  }
}

void main() {
  FOVEA_MAP(i, p.n_elements) y[i] = p.scale * apply(max(x[i], p.minimum));
}
