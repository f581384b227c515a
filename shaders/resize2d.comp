// y[b, i, j, c] = f(x around ((i + 0.5) step_h - 0.5, ..))[b, .., c] + residual[b, i, j, c],  x: [B, H, W, C] f32
// QUADS: four channels at a time.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "kernel.glsl"
#include "map.glsl"
#include "activation.glsl"

layout(constant_id = 1) const uint kMode = 0u; // enum ResizeMode in runtime/ops/resize2d.h
layout(constant_id = 2) const bool kCorners = false;
layout(constant_id = 3) const uint kActivation = 0u;
layout(constant_id = 4) const bool kResidual = false;

#ifdef QUADS
#define ELEMENT vec4
#else
#define ELEMENT float
#endif
layout(set = 0, binding = 0, std430) readonly buffer X { ELEMENT x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Residual { ELEMENT residual[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { ELEMENT y[]; };

layout(push_constant) uniform Resize2dParams {
  uint n_elements; // of y; quads where channels are counted in quads
  uint channels;
  uint in_h;
  uint in_w;
  uint out_h;
  uint out_w;
  float step_h; // positions of x for one of y
  float step_w;
} p;

const uint kNearest = 1u, kBicubic = 2u;

float source(uint i, float step) {
  if (kMode == kNearest) return float(i) * step;
  return kCorners ? float(i) * step : (float(i) + 0.5) * step - 0.5;
}

// Keys' cubic convolution with a = -0.75.
vec4 cubic(float t) {
  const float a = -0.75;
  const vec4 d = vec4(t + 1.0, t, 1.0 - t, 2.0 - t);
  const vec2 near = ((a + 2.0) * d.yz - (a + 3.0)) * d.yz * d.yz + 1.0;
  const vec2 far = ((a * d.xw - 5.0 * a) * d.xw + 8.0 * a) * d.xw - 4.0 * a;
  return vec4(far.x, near, far.y);
}

void main() {
  FOVEA_MAP(i, p.n_elements) {
    const uint position = i / p.channels, c = i - position * p.channels;
    const uint line = position / p.out_w, map = line / p.out_h;
    float sy = source(line - map * p.out_h, p.step_h), sx = source(position - line * p.out_w, p.step_w);
    if (kMode == 0u) {
      sy = max(sy, 0.0);
      sx = max(sx, 0.0);
    }
    const int last_y = int(p.in_h) - 1, last_x = int(p.in_w) - 1;
    const float fy = floor(sy), fx = floor(sx), ty = sy - fy, tx = sx - fx;
    const int y0 = int(fy), x0 = int(fx);
    const uint from = map * p.in_h;
    ELEMENT v = ELEMENT(0.0);
    if (kMode == kNearest) {
      v = x[((from + uint(min(y0, last_y))) * p.in_w + uint(min(x0, last_x))) * p.channels + c];
    } else if (kMode == kBicubic) {
      const vec4 wy = cubic(ty), wx = cubic(tx);
      [[unroll]] for (int a = 0; a < 4; ++a) {
        const uint row = (from + uint(clamp(y0 - 1 + a, 0, last_y))) * p.in_w;
        ELEMENT sum = ELEMENT(0.0);
        [[unroll]] for (int b = 0; b < 4; ++b)
          sum += wx[b] * x[(row + uint(clamp(x0 - 1 + b, 0, last_x))) * p.channels + c];
        v += wy[a] * sum;
      }
    } else {
      const uint row0 = (from + uint(min(y0, last_y))) * p.in_w, row1 = (from + uint(min(y0 + 1, last_y))) * p.in_w;
      const uint c0 = uint(min(x0, last_x)), c1 = uint(min(x0 + 1, last_x));
      const ELEMENT top = mix(x[(row0 + c0) * p.channels + c], x[(row0 + c1) * p.channels + c], tx);
      const ELEMENT bottom = mix(x[(row1 + c0) * p.channels + c], x[(row1 + c1) * p.channels + c], tx);
      v = mix(top, bottom, ty);
    }
    if (kResidual) v += residual[i];
#ifdef QUADS
    [[unroll]] for (uint k = 0u; k < 4u; ++k) v[k] = activate(kActivation, v[k]);
#else
    v = activate(kActivation, v);
#endif
    y[i] = v;
  }
}
