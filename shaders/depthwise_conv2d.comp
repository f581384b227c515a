// y[b, i, j, c] = act(sum_{p, q} w[p, q, c] * x[b, i stride + p dilation - top, j stride + q dilation - left, c] + bias[c])
// x: [B, H, W, C] f32, w: [taps_h, taps_w, C] f32 or f16. QUADS: four channels at a time.
// An invocation makes kPixels neighbours of a line, so that each element of x is loaded once for all the taps that meet
// it; with kTapsW == 0 (windows too wide to unroll) it makes one, tap after tap.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "kernel.glsl"
#include "activation.glsl"

layout(constant_id = 1) const uint kActivation = 0u;
layout(constant_id = 2) const uint kBias = 0u;
layout(constant_id = 3) const uint kHalfWeights = 0u;
layout(constant_id = 4) const uint kPixels = 4u;
layout(constant_id = 5) const uint kTapsW = 3u;
layout(constant_id = 6) const uint kStrideW = 1u;
layout(constant_id = 7) const uint kDilationW = 1u;
const uint kTaps = kTapsW == 0u ? 1u : kTapsW;
const uint kColumns = (kPixels - 1u) * kStrideW + (kTaps - 1u) * kDilationW + 1u;

#ifdef QUADS
#define ELEMENT vec4
#define FLAGS bvec4
#else
#define ELEMENT float
#define FLAGS bool
#endif
layout(set = 0, binding = 0, std430) readonly buffer X { ELEMENT x[]; };
layout(set = 0, binding = 2, std430) readonly buffer Bias { ELEMENT bias[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { ELEMENT y[]; };

layout(push_constant) uniform DepthwiseConv2dParams {
  uint n_items;  // invocations: batches x out_h x blocks of kPixels x channels
  uint channels; // in quads where elements are
  uint in_h;
  uint in_w;
  uint out_h;
  uint out_w;
  uint stride_h;
  uint pad_top;
  uint pad_left;
  uint dilation_h;
  uint taps_h;
  uint taps_w;
} p;

#ifdef QUADS
layout(set = 0, binding = 1, std430) readonly buffer W { vec4 w[]; };
layout(set = 0, binding = 1, std430) readonly buffer WHalves { uvec2 w_halves[]; };
ELEMENT weight(uint i) {
  if (kHalfWeights == 0u) return w[i];
  const uvec2 halves = w_halves[i];
  return vec4(unpackHalf2x16(halves.x), unpackHalf2x16(halves.y));
}
ELEMENT activated(ELEMENT v) {
  return vec4(activate(kActivation, v.x), activate(kActivation, v.y), activate(kActivation, v.z),
              activate(kActivation, v.w));
}
#else
layout(set = 0, binding = 1, std430) readonly buffer W { uint w[]; };
ELEMENT weight(uint i) { return kHalfWeights == 0u ? uintBitsToFloat(w[i]) : half_at(w[i >> 1], i); }
ELEMENT activated(ELEMENT v) { return activate(kActivation, v); }
#endif

void main() {
  const uint item = (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
  if (item >= p.n_items) return;
  const uint blocks = (p.out_w + kPixels - 1u) / kPixels;
  const uint block = item / p.channels, c = item - block * p.channels;
  const uint line = block / blocks, column = (block - line * blocks) * kPixels;
  const uint map = line / p.out_h, y0 = (line - map * p.out_h) * p.stride_h - p.pad_top;
  const uint x0 = column * kStrideW - p.pad_left;

  ELEMENT sum[kPixels];
  [[unroll]] for (uint r = 0u; r < kPixels; ++r) sum[r] = kBias != 0u ? bias[c] : ELEMENT(0.0);
  for (uint a = 0u; a < p.taps_h; ++a) {
    const uint iy = y0 + a * p.dilation_h; // a negative one is huge
    if (iy >= p.in_h) continue;
    const uint from = (map * p.in_h + iy) * p.in_w, taps = a * p.taps_w;
    if (kTapsW == 0u) {
      for (uint b = 0u; b < p.taps_w; ++b) {
        const uint ix = x0 + b * kDilationW;
        if (ix < p.in_w) sum[0] += x[(from + ix) * p.channels + c] * weight((taps + b) * p.channels + c);
      }
      continue;
    }
    ELEMENT tap[kTaps];
    [[unroll]] for (uint b = 0u; b < kTapsW; ++b) tap[b] = weight((taps + b) * p.channels + c);
    [[unroll]] for (uint column = 0u; column < kColumns; ++column) {
      const uint ix = x0 + column;
      const bool inside = ix < p.in_w;
      const ELEMENT loaded = x[inside ? (from + ix) * p.channels + c : 0u];
      const ELEMENT v = mix(ELEMENT(0.0), loaded, FLAGS(inside)); // a choice of values: a branch costs more than the load
      [[unroll]] for (uint r = 0u; r < kPixels; ++r) {
        const uint ahead = column - r * kStrideW; // huge where the window begins later
        if (ahead % kDilationW == 0u && ahead / kDilationW < kTapsW) sum[r] += v * tap[ahead / kDilationW];
      }
    }
  }
  [[unroll]] for (uint r = 0u; r < kPixels; ++r)
    if (column + r < p.out_w) y[(line * p.out_w + column + r) * p.channels + c] = activated(sum[r]);
}
