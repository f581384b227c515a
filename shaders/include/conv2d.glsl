// A convolution's map as the rows that linear_base and linear_subgroup multiply: row r is the window of output position r,
//   x[r, k] = map[b, oy * stride_h - pad_top + ky * dilation_h, ox * stride_w - pad_left + kx * dilation_w, c]
// with k = (ky * taps_w + kx) * run + c, and 0 outside the map and past the last tap. A run is the channels of a group,
// or of all taps of a row where nothing lies between them and nothing outside. z of a dispatch is the group. In place of
// linear.glsl, with its specialization constants. k < 2^22 (see x_step).
#include "step.glsl"

layout(constant_id = 1) const uint kActivation = 0u;
layout(constant_id = 2) const uint kBias = 0u;
layout(constant_id = 3) const uint kResidual = 0u;
layout(constant_id = 4) const uint kAuxScales = 0u;
layout(constant_id = 5) const uint kHalfOutput = 0u;

#include "operands.glsl"

layout(push_constant) uniform Conv2dParams {
  uint n_rows; // positions of all maps
  uint n_cols; // of a group
  uint k;
  uint w_offset; // these and those of y as in linear.glsl
  uint s_offset;
  uint b_offset;
  uint r_offset;
  uint r_stride;
  uint y_offset;
  uint y_stride;
  uint rows_per_batch;
  uint y_batch_stride;
  uint y_step;
  uint in_h;
  uint in_w;
  uint out_h;
  uint out_w;
  uint stride_h;
  uint stride_w;
  uint pad_top;
  uint pad_left;
  uint dilation_h;
  uint dilation_w;
  uint taps_h;
  uint taps_w;
  uint run;
  uint channels;       // of the map
  uint group_channels; // 0: one group
  float inverse_run;
  float inverse_taps_w;
} p;

uint first_column() { return gl_WorkGroupID.z * p.n_cols; }

struct WindowOrigin {
  int begin; // element of its first tap; outside the map where padding begins
  int y, x;
};
struct Tap {
  int offset; // elements from a window's begin
  int dy, dx;
};
#define X_ROW WindowOrigin
#define X_STEP Tap

X_ROW x_row(uint row) {
  const uint ox = row % p.out_w, line = row / p.out_w;
  const int iy = int(line % p.out_h * p.stride_h) - int(p.pad_top), ix = int(ox * p.stride_w) - int(p.pad_left);
  const int map_row = int(line / p.out_h * p.in_h) + iy;
  return WindowOrigin((map_row * int(p.in_w) + ix) * int(p.channels) + int(gl_WorkGroupID.z * p.group_channels), iy, ix);
}

// Quotients by the multiplied inverse: half a unit keeps them off the integers, which rounding could cross. Integer
// division costs software drivers more than the load.
X_STEP x_step(uint k) {
  const uint tap = uint((float(k) + 0.5) * p.inverse_run), ky = uint((float(tap) + 0.5) * p.inverse_taps_w);
  const int dy = int(ky * p.dilation_h), dx = int((tap - ky * p.taps_w) * p.dilation_w);
  return Tap((dy * int(p.in_w) + dx) * int(p.channels) + int(k - tap * p.run), ky < p.taps_h ? dy : 0x40000000, dx);
}

int x_index(X_ROW row, X_STEP k) { return row.begin + k.offset; }
// A negative coordinate is a huge uint.
bool x_inside(X_ROW row, X_STEP k) { return uint(row.y + k.dy) < p.in_h && uint(row.x + k.dx) < p.in_w; }
float x_element(X_ROW row, X_STEP k) { return x_inside(row, k) ? x_word(x_index(row, k)) : 0.0; }
