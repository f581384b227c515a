// Where the windows of a convolution or a pooling lie on a map: the fields that such ops share, and what they
// come to for a map's size. Pure; thread-safe. Error InvalidGraph when no window fits.
#pragma once

#include "graph/op.h"

namespace fovea {

/// Windows along one direction.
struct WindowAxis {
  uint64_t size = 0, kernel = 1, stride = 1, dilation = 1;
  uint64_t before = 0; // positions of padding before the first
  uint64_t count = 0;  // windows
  /// Position of tap j of window i; outside [0, size) it is padding.
  int64_t position(uint64_t i, uint64_t j) const {
    return int64_t(i * stride + j * dilation) - int64_t(before);
  }
  bool inside(int64_t position) const { return position >= 0 && position < int64_t(size); }
  /// Whether no window reaches into padding.
  bool all_inside() const { return before == 0 && position(count - 1, kernel - 1) < int64_t(size); }
};

struct Window2d {
  uint32_t kernel = 1, kernel_h = 0, kernel_w = 0; // 0: kernel
  uint32_t stride = 1, stride_h = 0, stride_w = 0; // 0: stride
  uint32_t dilation = 1;
  uint32_t padding = 0;                                              // on all sides
  uint32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0; // more, on one
  bool same = false; // as much more as gives ceil(size / stride) windows, the odd one at the end

  void fields(FieldVisitor &v) {
    v.field("kernel", kernel, 1u);
    v.field("kernel_h", kernel_h, 0u);
    v.field("kernel_w", kernel_w, 0u);
    v.field("stride", stride, 1u);
    v.field("stride_h", stride_h, 0u);
    v.field("stride_w", stride_w, 0u);
    v.field("dilation", dilation, 1u);
    v.field("padding", padding, 0u);
    v.field("pad_top", pad_top, 0u);
    v.field("pad_left", pad_left, 0u);
    v.field("pad_bottom", pad_bottom, 0u);
    v.field("pad_right", pad_right, 0u);
    v.field("same", same, false);
  }
  uint64_t taps() const { return uint64_t(kernel_h ? kernel_h : kernel) * (kernel_w ? kernel_w : kernel); }
  /// Along H and along W of a map.
  WindowAxis rows(uint64_t height) const;
  WindowAxis columns(uint64_t width) const;
};

} // namespace fovea
