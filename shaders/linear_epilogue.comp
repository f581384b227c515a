// The epilogue of linear on its own: y[r, n] = act(x[r, n] + bias[n]) + residual[r, n]. For a matrix whose parts need
// more bindings than there are: the products are summed first, into x.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "kernel.glsl"
#include "linear.glsl"
#include "epilogue.glsl"

void main() {
  const uint pairs = (p.n_cols + 1u) / 2u;
  const uint i = (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
  const uint row = i / pairs, n = i % pairs * 2u;
  if (row >= p.n_rows) return;
  const int from = x_begin(row) + int(n);
  const bool both = n + 1u < p.n_cols;
  const float sum1 = both ? x_word(from + 1) + bias_at(n + 1u) : 0.0;
  store_pair(row, y_begin(row), n, x_word(from) + bias_at(n), sum1);
}
