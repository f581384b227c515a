// Where each position of a map is, as numbers: y[h, w] = (f(h), f(w)) with sines and cosines of waves that get longer, or
// (columns[w], rows[h]) of learned tables.  y: [H, W, 2 F] f32, tables: [.., F]
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "sincos.glsl"

layout(constant_id = 1) const bool kLearned = false;

layout(set = 0, binding = 0, std430) readonly buffer Columns { float columns[]; };
layout(set = 0, binding = 1, std430) readonly buffer Rows { float rows[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform MapPositionsParams {
  uint n_elements;
  uint width;
  uint features; // F
  float step_h; // angle of one position in the shortest wave
  float step_w;
  float log2_temperature;
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint position = i / (2u * p.features), d = i - position * 2u * p.features;
    const uint h = position / p.width, w = position - h * p.width, f = d % p.features;
    if (kLearned) {
      y[i] = d < p.features ? columns[w * p.features + f] : rows[h * p.features + f];
      continue;
    }
    const float angle = d < p.features ? float(h + 1u) * p.step_h : float(w + 1u) * p.step_w;
    const float wave = exp2(float(f & ~1u) / float(p.features) * p.log2_temperature);
    const vec2 s = sin_cos(angle / wave);
    y[i] = (f & 1u) == 0u ? s.x : s.y;
  }
}
