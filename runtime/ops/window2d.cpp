#include "ops/window2d.h"

namespace fovea {
namespace {

constexpr uint32_t kMost = 1 << 14; // of any field: keeps products of two far below 2^32

WindowAxis axis(const char *name, uint64_t size, uint32_t kernel, uint32_t stride, uint32_t dilation,
                uint64_t before, uint64_t after, bool same) {
  for (const uint64_t value : {uint64_t(kernel), uint64_t(stride), uint64_t(dilation)})
    if (value == 0 || value > kMost)
      fail(ErrorCode::InvalidGraph, "kernel ", kernel, ", stride ", stride, ", dilation ", dilation,
           " along ", name, ": each must be 1 to ", kMost);
  if (before > kMost || after > kMost)
    fail(ErrorCode::InvalidGraph, "padding along ", name, " is above ", kMost);
  const uint64_t span = uint64_t(kernel - 1) * dilation + 1;
  if (same) {
    const uint64_t wanted = (size - 1) / stride * stride + span;
    const uint64_t missing = wanted > size + before + after ? wanted - size - before - after : 0;
    before += missing / 2;
    after += missing - missing / 2;
  }
  const uint64_t padded = size + before + after;
  if (span > padded)
    fail(ErrorCode::InvalidGraph, "a window of ", span, " is larger than the map's ", padded, " along ", name,
         " (padding included)");
  return {size, kernel, stride, dilation, before, (padded - span) / stride + 1};
}

} // namespace

WindowAxis Window2d::rows(uint64_t height) const {
  return axis("H", height, kernel_h ? kernel_h : kernel, stride_h ? stride_h : stride, dilation,
              uint64_t(padding) + pad_top, uint64_t(padding) + pad_bottom, same);
}

WindowAxis Window2d::columns(uint64_t width) const {
  return axis("W", width, kernel_w ? kernel_w : kernel, stride_w ? stride_w : stride, dilation,
              uint64_t(padding) + pad_left, uint64_t(padding) + pad_right, same);
}

} // namespace fovea
