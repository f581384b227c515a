// y[t, d] = scale * table[clamp(tokens[t]), d] + positions[clamp(at + t % batch_tokens), d],  y: [N, D] f32
// table: [V, D], decoded by weights.glsl (W_F32, W_F16, W_Q8 or W_Q4); positions: [C, D] f32
// A dispatch knows the table's rows first_row .. last_row - 1 and writes the tokens that fall there. An invocation
// makes four neighbours of a row at a time.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "step.glsl"

layout(constant_id = 1) const uint kAuxScales = 0u; // 1: aux is the scale plane
layout(constant_id = 2) const uint kPositions = 0u; // 1: aux are the positions

layout(set = 0, binding = 0, std430) readonly buffer Tokens { int tokens[]; };
layout(set = 0, binding = 1, std430) readonly buffer W { uint w[]; };
uint w_word(uint i) { return w[i]; }
layout(set = 0, binding = 2, std430) readonly buffer Aux { uint aux[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform EmbedParams {
  uint n_tokens;
  uint k;        // D
  uint n_rows;   // V
  uint first_row;
  uint last_row;
  uint w_offset; // words: first_row of the table
  uint s_offset; // halves: first_row of the scale plane
  uint batch_tokens;
  uint n_positions; // C
  uint at;          // step slot
  float scale;
} p;

#include "weights.glsl"

void main() {
  const uint row_fours = (p.k + 3u) / 4u;
  const uint last_position = p.n_positions - 1u, at = min(step_value(p.at), last_position);
  FOVEA_MAP(i, p.n_tokens * row_fours) {
    const uint t = i / row_fours, d = (i - t * row_fours) * 4u;
    const uint id = uint(clamp(tokens[t], 0, int(p.n_rows - 1u)));
    if (id >= p.first_row && id < p.last_row) {
      const uint row = id - p.first_row;
      const bool whole = d + 4u <= p.k;
      const vec4 four = whole ? weight4(row, d) * weight_scale(row, d) : vec4(0.0);
      const uint place = min(at + t % p.batch_tokens, last_position) * p.k;
      for (uint c = 0u; c < 4u && d + c < p.k; ++c) {
        float v = (whole ? four[c] : weight1(row, d + c)) * p.scale;
        if (kPositions != 0u) v += uintBitsToFloat(aux[place + d + c]);
        y[t * p.k + d + c] = v;
      }
    }
  }
}
