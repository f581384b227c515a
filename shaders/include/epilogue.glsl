// Storing linear's sums: bias, activation, residual, the output's number format. Include after linear.glsl.
#include "activation.glsl"

const uint kGated = 3u; // kResidual
const uint kNoBias = 0xFFFFFFFFu; // p.b_offset: kernels of kBias 1 serve products without one too

// Element of y[row, 0].
uint y_begin(uint row) {
  uint batch = 0u, t = row;
  if (p.rows_per_batch < p.n_rows) {
    batch = row / p.rows_per_batch;
    t -= batch * p.rows_per_batch;
  }
  return p.y_offset + batch * p.y_batch_stride + (t + step_value(p.y_step)) * p.y_stride + first_column();
}

// What the sums of column n start from.
float bias_at(uint n) {
  if (kBias == 1u) return p.b_offset == kNoBias ? 0.0 : uintBitsToFloat(w_word(p.b_offset + n));
  if (kBias == 2u) return uintBitsToFloat(aux[p.b_offset + n]);
  return 0.0;
}

float finish(uint row, uint n, float sum) {
  if (kResidual == 0u) return activate(kActivation, sum);
  const float residual = uintBitsToFloat(aux[p.r_offset + row * p.r_stride + first_column() + n]);
  return kResidual == 1u ? activate(kActivation, sum) + residual : activate(kActivation, sum + residual);
}

// Columns n (even) and n + 1 of a row that begins at element `begin` of y; what lies outside y is not stored.
void store_pair(uint row, uint begin, uint n, float sum0, float sum1) {
  if (row >= p.n_rows || n >= p.n_cols) return;
  if (kResidual == kGated) { // never f16: a pair is one element
    y[begin + (n >> 1)] = floatBitsToUint(activate(kActivation, sum0) * sum1);
    return;
  }
  const float v0 = finish(row, n, sum0);
  if (kHalfOutput != 0u) {
    y[(begin + n) >> 1] = packHalf2x16(vec2(v0, finish(row, n + 1u, sum1)));
    return;
  }
  y[begin + n] = floatBitsToUint(v0);
  if (n + 1u < p.n_cols) y[begin + n + 1u] = floatBitsToUint(finish(row, n + 1u, sum1));
}
