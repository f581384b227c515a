// scales[b, c] = (a, o) with y = a x + o: the chunks' and the group's channels' moments joined (Chan et al., 1983), an
// invocation a group.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "group_norm.glsl"

layout(constant_id = 1) const bool kAffine = false;

layout(set = 0, binding = 0, std430) readonly buffer Moments { float moments[]; };
layout(set = 0, binding = 1, std430) readonly buffer Gamma { float gamma[]; };
layout(set = 0, binding = 2, std430) readonly buffer Beta { float beta[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Scales { float scales[]; };

void main() {
  const uint groups = p.n_channels / p.group_channels, i = invocation();
  if (i >= p.n_batch * groups) return;
  const uint batch = i / groups, first = (i - batch * groups) * p.group_channels;

  float count = 0.0, mean = 0.0, squares = 0.0;
  for (uint k = 0u; k < p.n_chunks; ++k) {
    const float n = float(min(p.chunk_rows, p.n_rows - k * p.chunk_rows));
    for (uint c = first; c < first + p.group_channels; ++c) {
      const uint at = 2u * ((batch * p.n_chunks + k) * p.n_channels + c);
      const float apart = moments[at] - mean, total = count + n;
      squares += moments[at + 1u] + apart * apart * (count * n / total);
      mean += apart * (n / total);
      count = total;
    }
  }
  const float inverse = inversesqrt(squares / count + p.epsilon);
  for (uint c = first; c < first + p.group_channels; ++c) {
    const float a = kAffine ? inverse * gamma[c] : inverse;
    scales[2u * (batch * p.n_channels + c)] = a;
    scales[2u * (batch * p.n_channels + c) + 1u] = (kAffine ? beta[c] : 0.0) - mean * a;
  }
}
