// y[b, i, j, c] = max or mean over the window's taps that lie on the map of x[b, i', j', c],  x: [B, H, W, C] f32
// QUADS: four channels at a time.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"

#ifdef QUADS
#define ELEMENT vec4
#else
#define ELEMENT float
#endif

layout(constant_id = 1) const uint kFunction = 0u; // enum Pool2dFunction in runtime/ops/pool2d.h

layout(set = 0, binding = 0, std430) readonly buffer X { ELEMENT x[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Y { ELEMENT y[]; };

layout(push_constant) uniform Pool2dParams {
  uint n_elements; // of y; quads where channels are counted in quads
  uint channels;
  uint in_h;
  uint in_w;
  uint out_h;
  uint out_w;
  uint stride_h;
  uint stride_w;
  uint pad_top;
  uint pad_left;
  uint dilation_h;
  uint dilation_w;
  uint taps_h;
  uint taps_w;
  float divisor; // of a mean; 0: the number of taps on the map
} p;

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint position = i / p.channels, c = i - position * p.channels;
    const uint line = position / p.out_w, column = position - line * p.out_w;
    const uint map = line / p.out_h, y0 = (line - map * p.out_h) * p.stride_h - p.pad_top;
    const uint x0 = column * p.stride_w - p.pad_left;
    ELEMENT sum = ELEMENT(0.0), largest = ELEMENT(kLowest);
    float n_seen = 0.0;
    for (uint a = 0u; a < p.taps_h; ++a) {
      const uint iy = y0 + a * p.dilation_h; // a negative one is huge
      if (iy >= p.in_h) continue;
      for (uint b = 0u; b < p.taps_w; ++b) {
        const uint ix = x0 + b * p.dilation_w;
        if (ix >= p.in_w) continue;
        const ELEMENT v = x[((map * p.in_h + iy) * p.in_w + ix) * p.channels + c];
        sum += v;
        largest = max(largest, v);
        n_seen += 1.0;
      }
    }
    y[i] = kFunction == 0u ? largest : sum / max(p.divisor > 0.0 ? p.divisor : n_seen, 1.0);
  }
}
