// y[left + i] = z[i] for -left <= i < z_length + right;  z[i] = i < N ? x[i] : 0 inside [0, z_length), mirrored outside.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform ReflectPadParams {
  uint n_elements; // of y
  uint n_given;    // N
  uint z_length;
  uint left;
} p;

void main() {
  FOVEA_MAP(j, p.n_elements) {
    uint i = j < p.left ? p.left - j : j - p.left;
    if (i >= p.z_length) i = p.z_length - 2u - (i - p.z_length);
    y[j] = i < p.n_given ? x[i] : 0.0;
  }
}
