// Rows of queries, keys and values side by side, taken apart: queries and keys turned (rope.comp), keys and values into
// rows of their caches.
//   q[t, h] = turned(x[t, h]),  k[at + t, g] = turned(x[t, H + g]),  v[at + t, g] = x[t, H + G + g]
// x: [N, (H + 2 G) K] f32, frequencies: [R], q: [N, H K] f32, k, v: [B, C, G K] f32, or f16 in pairs, behind one binding.
// Rows at + t >= C of k and v are dropped. An invocation moves the same elements of up to kHeads heads, of q, k or v: the
// angles are theirs alone. QUADS: four of them and the four that they are turned with, K % 4 == 0 and R % 4 == 0; else
// two neighbours.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "map.glsl"
#include "step.glsl"
#include "sincos.glsl"

layout(constant_id = 2) const bool kHalfState = false;
// Constants, since dividing by them is then cheap.
layout(constant_id = 3) const uint kUnits = 8u;   // parts of a head that an invocation moves
layout(constant_id = 4) const uint kQGroups = 1u; // of kHeads heads or fewer; 0: q is not asked for
layout(constant_id = 5) const uint kKGroups = 1u;
layout(constant_id = 6) const uint kVGroups = 1u;

#ifdef QUADS
#define ELEMENT vec4
#define WORDS uvec2 // two elements of a f32 state, four of f16
const uint kSize = 4u;
#else
#define ELEMENT float
#define WORDS uint
const uint kSize = 1u;
#endif
layout(set = 0, binding = 0, std430) readonly buffer X { ELEMENT x[]; };
layout(set = 0, binding = 1, std430) readonly buffer Frequencies { ELEMENT frequencies[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Q { ELEMENT q[]; };
layout(set = 0, binding = 3, std430) writeonly buffer States { WORDS states[]; };

layout(push_constant) uniform RopeQkvParams {
  uint n_rows;        // N
  uint batch_rows;    // T
  uint row_length;    // of x
  uint n_heads;       // H
  uint n_kv_heads;    // G
  uint head_size;     // K
  uint n_frequencies; // R
  uint capacity;      // C
  uint at;            // step slot: position of row 0
  uint row_at;        // step slot: its row in k and v
  uint k_offset;      // in the states' binding, in WORDS
  uint v_offset;
  float scale;
} p;

const uint kHeads = 4u; // as in runtime/ops/rope_qkv.cpp

// Heads go to q or to a state: `to` is the index of the first element there, `offset` the state's. Two loops of few
// lines, since software drivers run both sides of a branch.
#ifdef QUADS
layout(constant_id = 1) const bool kNeighbours = false; // pairs (2n, 2n + 1); else (n, n + R)

struct Turn {
  vec4 c, s;
};

Turn turn(uint unit, float position) {
  const bool turns = unit * (kNeighbours ? 2u : 4u) < p.n_frequencies;
  if (!turns) return Turn(vec4(1.0), vec4(0.0));
  const vec4 all = frequencies[kNeighbours ? unit >> 1 : unit];
  const vec4 f = !kNeighbours ? all : (unit & 1u) == 0u ? all.xxyy : all.zzww;
  precise const vec4 angle = position * f;
  const vec2 a = sin_cos(angle.x), d = sin_cos(angle.w);
  const vec2 b = kNeighbours ? a : sin_cos(angle.y), c = kNeighbours ? d : sin_cos(angle.z);
  const vec4 s = vec4(a.x, b.x, c.x, d.x) * p.scale;
  return Turn(vec4(a.y, b.y, c.y, d.y) * p.scale, kNeighbours ? s * vec4(-1, 1, -1, 1) : s);
}

// The unit's quads of a head, and where they are in it; of `second` there is none where they are the same.
struct Part {
  vec4 first, second;
  uint first_at, second_at;
};

Part part(uint from, uint unit, Turn by) {
  if (kNeighbours) {
    const vec4 v = x[from / 4u + unit];
    const vec4 turned = v * by.c + v.yxwz * by.s;
    return Part(turned, turned, unit, unit);
  }
  // Behind the pairs, a quad by itself.
  const uint n = p.n_frequencies / 4u, first_at = unit < n ? unit : unit + n, second_at = unit + n;
  const vec4 a = x[from / 4u + first_at], b = x[from / 4u + second_at];
  return Part(a * by.c - b * by.s, b * by.c + a * by.s, first_at, second_at);
}

void write_state(uint at, vec4 v) {
  if (kHalfState) {
    states[at] = uvec2(packHalf2x16(v.xy), packHalf2x16(v.zw));
  } else {
    states[at] = floatBitsToUint(v.xy);
    states[at + 1u] = floatBitsToUint(v.zw);
  }
}

void to_q(uint to, Part v) {
  q[to / 4u + v.first_at] = v.first;
  if (!kNeighbours) q[to / 4u + v.second_at] = v.second;
}

void to_state(uint offset, uint to, Part v) {
  const uint words = kHalfState ? 1u : 2u; // of a quad
  write_state(offset + (to / 4u + v.first_at) * words, v.first);
  if (!kNeighbours) write_state(offset + (to / 4u + v.second_at) * words, v.second);
}
#else
#include "rope.glsl"

struct Part {
  float first, second;
  uint at;
};

Part part(uint from, uint unit, Turn by_first, Turn by_second) {
  const uint at = 2u * unit;
  return Part(x[from + at] * by_first.c + x[from + by_first.partner] * by_first.s,
              x[from + at + 1u] * by_second.c + x[from + by_second.partner] * by_second.s, at);
}

void to_q(uint to, Part v) {
  q[to + v.at] = v.first;
  q[to + v.at + 1u] = v.second;
}

void to_state(uint offset, uint to, Part v) {
  const uint i = to + v.at;
  if (kHalfState) {
    states[offset + (i >> 1)] = packHalf2x16(vec2(v.first, v.second));
  } else {
    states[offset + i] = floatBitsToUint(v.first);
    states[offset + i + 1u] = floatBitsToUint(v.second);
  }
}
#endif

void main() {
  const uint at = step_value(p.at), row_at = step_value(p.row_at);
  const uint n_groups = kQGroups + kKGroups + kVGroups;
  FOVEA_MAP(i, p.n_rows * n_groups * kUnits) {
    const uint unit = i % kUnits, group = i / kUnits % n_groups, row = i / kUnits / n_groups;
    const uint batch = row / p.batch_rows, t = row - batch * p.batch_rows;
    const bool is_q = group < kQGroups, is_v = group >= kQGroups + kKGroups;
    const float position = float(at + t);
#ifdef QUADS
#define PART(h) part(row * p.row_length + (h) * p.head_size, unit, by)
    Turn by = turn(unit, position);
    if (is_v) by = Turn(vec4(1.0), vec4(0.0));
#else
#define PART(h) part(row * p.row_length + (h) * p.head_size, unit, by, by_second)
    Turn by = turn(2u * unit, position), by_second = turn(2u * unit + 1u, position);
    if (is_v) by = Turn(1.0, 0.0, 2u * unit), by_second = Turn(1.0, 0.0, 2u * unit + 1u);
#endif
    if (is_q) {
      const uint first = group * kHeads;
      for (uint h = first; h < min(first + kHeads, p.n_heads); ++h)
        to_q((row * p.n_heads + h) * p.head_size, PART(h));
    }
    const uint first = (group - kQGroups - (is_v ? kKGroups : 0u)) * kHeads;
    const uint before = p.n_heads + (is_v ? p.n_kv_heads : 0u); // heads of x
    const bool fits = !is_q && row_at < p.capacity && t < p.capacity - row_at;
    const uint to_row = batch * p.capacity + row_at + t, end = fits ? min(first + kHeads, p.n_kv_heads) : first;
    for (uint h = first; h < end; ++h)
      to_state(is_v ? p.v_offset : p.k_offset, (to_row * p.n_kv_heads + h) * p.head_size, PART(before + h));
  }
}
