// Rows of a recurrent layer, one after another (runtime/ops/lstm.h, gru.h): with LSTM four gates and a cell, with GRU
// three gates. x: [B, T, gates H], y: [B, T, H], carry: [B, 2, H] (h, c) or [B, 1, H] (h), f32; W: [gates H, H].
// An invocation makes whole units: it multiplies h, which lies in shared memory, with the rows of all the unit's gates.
//   kSequence  a workgroup makes `count` rows of a sequence
//   kRow       it makes a slice of the units of one row; h is the row before it in y
//   kFinish    carry's h becomes the last row
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "kernel.glsl"
#include "activation.glsl"

layout(constant_id = 1) const uint kAuxScales = 0u;
layout(constant_id = 2) const uint kHiddenSize = 4u; // of shared memory: H in fours, twice for kSequence
layout(constant_id = 3) const bool kBias = false;
layout(constant_id = 4) const uint kMode = 0u;

layout(set = 0, binding = 0, std430) readonly buffer X { float x[]; };
layout(set = 0, binding = 1, std430) readonly buffer W { uint w[]; };
uint w_word(uint i) { return w[i]; }
layout(set = 0, binding = 1, std430) readonly buffer Aux { uint aux[]; };
layout(set = 0, binding = 2, std430) buffer Carry { float carry[]; };
layout(set = 0, binding = 3, std430) buffer Y { float y[]; };

layout(push_constant) uniform RecurrenceParams {
  uint n_batch;
  uint n_rows; // T
  uint k;      // H
  uint w_offset; // words
  uint s_offset; // halves
  uint b_offset; // floats
  uint first;    // of the rows to make, in the order in which they are made
  uint count;
  uint n_slices; // workgroups of a row
  uint reverse;
  uint carried; // carry holds something before row 0
} p;
#include "weights.glsl"

const uint kSequence = 0u, kRow = 1u, kFinish = 2u;
#ifdef LSTM
const uint kGates = 4u, kCarried = 2u;
#else
const uint kGates = 3u, kCarried = 1u;
#endif

shared float hidden[kHiddenSize];

float sigmoid(float v) { return activate(7u, v); }
float hyperbolic(float v) { return activate(6u, v); }

// The row of x and y that is made as number s.
uint row_of(uint batch, uint s) { return batch * p.n_rows + (p.reverse != 0u ? p.n_rows - 1u - s : s); }

void main() {
  const uint group = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  const uint batch = group / p.n_slices, slice = group - batch * p.n_slices;
  if (batch >= p.n_batch) return;
  const uint lane = gl_LocalInvocationIndex, lanes = gl_WorkGroupSize.x;
  const uint carry_begin = batch * kCarried * p.k;

  if (kMode == kFinish) {
    const uint last = row_of(batch, p.n_rows - 1u) * p.k;
    for (uint j = lane; j < p.k; j += lanes) carry[carry_begin + j] = y[last + j];
    return;
  }
  for (uint j = lane; j < p.k; j += lanes)
    hidden[j] = p.first > 0u     ? y[row_of(batch, p.first - 1u) * p.k + j]
                : p.carried != 0u ? carry[carry_begin + j]
                                  : 0.0;
  barrier();

  const uint step = kMode == kRow ? p.n_slices * lanes : lanes;
  const uint k4 = p.k & ~3u;
  uint now = 0u; // where h of the row before lies in shared memory
  for (uint s = p.first; s < p.first + p.count; ++s) {
    const uint row = row_of(batch, s), next = kMode == kSequence ? kHiddenSize / 2u - now : 0u;
    for (uint j = slice * lanes + lane; j < p.k; j += step) {
      float a[kGates];
      [[unroll]] for (uint g = 0u; g < kGates; ++g) a[g] = kBias ? uintBitsToFloat(w[p.b_offset + g * p.k + j]) : 0.0;
      for (uint k = 0u; k < k4; k += 4u) {
        const vec4 h = vec4(hidden[now + k], hidden[now + k + 1u], hidden[now + k + 2u], hidden[now + k + 3u]);
        [[unroll]] for (uint g = 0u; g < kGates; ++g)
          a[g] += dot(weight4(g * p.k + j, k), h) * weight_scale(g * p.k + j, k);
      }
      for (uint k = k4; k < p.k; ++k)
        [[unroll]] for (uint g = 0u; g < kGates; ++g) a[g] += weight1(g * p.k + j, k) * hidden[now + k];

      float v[kGates];
      [[unroll]] for (uint g = 0u; g < kGates; ++g) v[g] = x[(row * kGates + g) * p.k + j];
#ifdef LSTM
      const uint c_at = carry_begin + p.k + j;
      const float before = s > 0u || p.carried != 0u ? carry[c_at] : 0.0;
      const float c = sigmoid(v[1] + a[1]) * before + sigmoid(v[0] + a[0]) * hyperbolic(v[2] + a[2]);
      carry[c_at] = c;
      const float h = sigmoid(v[3] + a[3]) * hyperbolic(c);
#else
      const float r = sigmoid(v[0] + a[0]), z = sigmoid(v[1] + a[1]);
      const float h = (1.0 - z) * hyperbolic(v[2] + r * a[2]) + z * hidden[now + j];
#endif
      y[row * p.k + j] = h;
      if (kMode == kSequence) hidden[next + j] = h;
    }
    if (kMode == kSequence) {
      barrier();
      now = next;
    }
  }
  if (kMode == kSequence && p.first + p.count == p.n_rows)
    for (uint j = lane; j < p.k; j += lanes) carry[carry_begin + j] = hidden[now + j];
}
