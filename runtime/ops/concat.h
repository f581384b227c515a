// Tensors side by side: along their rows (a class token before a sequence) or along their channels.
#pragma once

#include "graph/op.h"

namespace fovea {

/// Of a [.., T, D]: T, or D.
enum class Axis : uint32_t { Rows, Channels };
inline constexpr const char *kAxisNames[] = {"rows", "channels"};

struct Concat {
  static constexpr const char *kName = "concat";
  /// f32; alike but along the axis. One with fewer or with leading dimensions of 1, e.g. a tensor of the
  /// file, is repeated for every batch of the others.
  Value a, b;
  Value c; // or none
  Axis axis = Axis::Rows;

  void fields(FieldVisitor &v) {
    v.operand("a", a);
    v.operand("b", b);
    v.optional_operand("c", c);
    v.field("axis", axis, kAxisNames);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
