// What lstm and gru take, G gates each (4, 3), and H units.
#pragma once

#include "graph/op.h"

namespace fovea {

struct RecurrenceOperands {
  Value x;      // [B, T, G H] f32
  Value weight; // [G H, H], a tensor of the file
  Value bias;   // [G H] f32, a tensor of the file, or none
  Value state;  // [B, 1 or 2, H] f32, a state, read first and written last; none: zeros
  bool reverse = false;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("weight", weight);
    v.optional_operand("bias", bias);
    v.optional_operand("state", state);
    v.field("reverse", reverse, false);
  }
};

} // namespace fovea
