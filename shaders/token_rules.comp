// y[r, id] = logits[r, id] - log sum over allowed i of exp(logits[r, i]), or kLowest; the rules are those of
// runtime/ops/token_rules.h.  logits, y: [R, V] f32, suppress: [V] f32, rules: [R, 4] i32
// One workgroup a row; one pass keeps a running maximum and sum for text and for times, a second one writes.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "reduce.glsl"

layout(set = 0, binding = 0, std430) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = 1, std430) readonly buffer Suppress { float suppress[]; };
layout(set = 0, binding = 2, std430) readonly buffer Rules { int rules[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform TokenRulesParams {
  uint n_rows;
  uint n_tokens; // V
  uint time_begin;
} p;

// (maximum, sum of exp(x - maximum)) of what has been seen.
vec2 add(vec2 seen, float x) {
  const float smaller = exp(-abs(x - seen.x));
  return x > seen.x ? vec2(x, seen.y * smaller + 1.0) : vec2(seen.x, seen.y + smaller);
}

vec2 workgroup_add(vec2 seen) {
  const float highest = workgroup_max(seen.x);
  return vec2(highest, workgroup_sum(seen.y * exp(seen.x - highest)));
}

// rule: text_from, time_from, time_to, first.
bool allowed(uint id, ivec4 rule) {
  const float s = suppress[id];
  if (s == 1.0 || (s == 2.0 && rule.w != 0)) return false;
  return id >= p.time_begin ? int(id) >= rule.y && int(id) < rule.z : int(id) >= rule.x;
}

void main() {
  const uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x;
  if (row >= p.n_rows) return;
  const uint begin = row * p.n_tokens, r = row * 4u;
  const uint lane = workgroup_lane(), lanes = gl_WorkGroupSize.x;
  const ivec4 rule = ivec4(rules[r], rules[r + 1u], rules[r + 2u], rules[r + 3u]);

  const uint n_text = min(p.time_begin, p.n_tokens);
  vec2 text = vec2(kLowest, 0.0), times = text;
  for (uint id = lane; id < n_text; id += lanes)
    if (allowed(id, rule)) text = add(text, logits[begin + id]);
  for (uint id = n_text + lane; id < p.n_tokens; id += lanes)
    if (allowed(id, rule)) times = add(times, logits[begin + id]);
  text = workgroup_add(text);
  times = workgroup_add(times);

  const bool only_times = times.y > 0.0 && times.x + log(max(times.y, 1.0e-30)) > text.x;
  if (only_times) text = vec2(kLowest, 0.0);
  const float highest = max(text.x, times.x);
  const float sum = text.y * exp(text.x - highest) + times.y * exp(times.x - highest);
  const float total = highest + log(max(sum, 1.0e-30));

  for (uint id = lane; id < p.n_tokens; id += lanes) {
    const bool kept = allowed(id, rule) && !(only_times && id < p.time_begin);
    y[begin + id] = kept ? logits[begin + id] - total : kLowest;
  }
}
