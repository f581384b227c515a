// The largest element or the mean of each window of a map, channel by channel. Padding is no element: it
// never is the largest, and counts in a mean only with count_include_pad.
#pragma once

#include "ops/window2d.h"

namespace fovea {

/// As numbered in shaders/pool2d.comp.
enum class Pool2dFunction : uint32_t { Max, Mean };
inline constexpr const char *kPool2dFunctionNames[] = {"max", "mean"};

struct Pool2d {
  static constexpr const char *kName = "pool2d";
  Value x; // [B, H, W, C] f32
  Pool2dFunction f = Pool2dFunction::Max;
  Window2d window;
  bool count_include_pad = false;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("f", f, kPool2dFunctionNames);
    window.fields(v);
    v.field("count_include_pad", count_include_pad, false);
  }
  TensorType infer(const Types &t) const; // [B, H', W', C]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
