// The interface of the linear family:
//   y[r, n] = act(sum_k x[r, k] * W[n, k] + bias[n]) + residual[r, n]         r < n_rows, n < n_cols, accumulated in f32
// or, with the residual first, act(sum + bias + residual); or, gated, with s for sum and bias,
//   y[r, n] = act(s[r, 2n]) * s[r, 2n + 1]                                        2n < n_cols, which is even
// A kernel is one strategy of computing the sums; addressing (here), decoding (weights.glsl) and storing (epilogue.glsl)
// are shared. Include after kernel.glsl.
#include "step.glsl"

layout(constant_id = 1) const uint kActivation = 0u; // see activation.glsl
layout(constant_id = 2) const uint kBias = 0u;       // 0 none, 1 in W's window, 2 in aux
layout(constant_id = 3) const uint kResidual = 0u;   // 1: aux is the residual, added after the activation; 2: before; 3: gated
layout(constant_id = 4) const uint kAuxScales = 0u;  // 1: aux is the scale plane
layout(constant_id = 5) const uint kHalfOutput = 0u; // 1: y is f16, two to a word; n_cols and all of y's strides even
layout(constant_id = 6) const uint kBounded = 0u;    // 1: x outside [0, x_elements) reads as 0 (a convolution's padding)

#include "operands.glsl"

layout(push_constant) uniform LinearParams {
  uint n_rows;
  uint n_cols; // rows of W in this dispatch
  uint k;
  int x_offset;    // element of x[0, 0]; negative where the first rows lie in the padding
  uint x_stride;   // elements between rows of x; less than k where rows overlap (a convolution)
  uint x_elements; // bound of kBounded
  uint w_offset;   // words: row 0 of W
  uint s_offset;   // halves: row 0 of the scale plane
  uint b_offset;   // floats: bias[0]
  uint r_offset;   // elements: residual[0, 0]
  uint r_stride;
  uint y_offset; // elements
  uint y_stride;
  uint rows_per_batch; // row r of y is row r % rows_per_batch (+ the step value) of batch r / rows_per_batch
  uint y_batch_stride;
  uint y_step;
  float epsilon; // of a norm that the kernel begins with (linear_vector_stream)
} p;

// The first column of W that this dispatch's z has; conv2d.glsl has groups of them.
uint first_column() { return 0u; }

// Element of x[row, 0]; with kBounded perhaps outside x.
int x_begin(uint row) { return p.x_offset + int(row * p.x_stride); }

// Whether element i of x may be read. A negative i is a huge uint.
bool x_inside(int i) { return kBounded == 0u || uint(i) < p.x_elements; }

float x_at(int i) { return x_inside(i) ? x_word(i) : 0.0; }

// What linear_base and linear_subgroup read x by, so that conv2d.glsl can put windows of a map in place of rows.
#define X_ROW int
#define X_STEP int
X_ROW x_row(uint row) { return x_begin(row); }
X_STEP x_step(uint k) { return int(k); }
int x_index(X_ROW row, X_STEP k) { return row + k; }
bool x_inside(X_ROW row, X_STEP k) { return x_inside(row + k); }
float x_element(X_ROW row, X_STEP k) { return x_at(row + k); }
