// Planar maps as maps with their channels innermost, what every other op on maps reads: y[b, h, w, c] = x[b,
// c, h, w]. Channels can be filled up with zeros, so that positions start on 16 bytes.
#pragma once

#include "graph/op.h"

namespace fovea {

struct ChannelsLast {
  static constexpr const char *kName = "channels_last";
  Value x;               // [B, C, H, W] f32; the result is [B, H, W, max(C, channels)]
  uint32_t channels = 0; // at least this many; those that x lacks are 0

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("channels", channels, 0u);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
