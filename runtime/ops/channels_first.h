// A map with its channels outermost, as results are handed out: y[b, c, h, w] = x[b, h, w, c].
#pragma once

#include "graph/op.h"

namespace fovea {

struct ChannelsFirst {
  static constexpr const char *kName = "channels_first";
  Value x; // [B, H, W, C] f32

  void fields(FieldVisitor &v) { v.operand("x", x); }
  TensorType infer(const Types &t) const; // [B, C, H, W]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
