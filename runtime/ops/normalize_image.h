// Bytes of an image as the planes of numbers that vision models take: y[0, c, i, j] = x[i, j, c] scale[c] +
// offset[c]. With a rescale factor f, mean m and deviation s: scale = f / s, offset = -m / s.
#pragma once

#include "graph/op.h"

namespace fovea {

struct NormalizeImage {
  static constexpr const char *kName = "normalize_image";
  Value x;             // [H, W, 3] f32
  Value scale, offset; // [3] f32

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("scale", scale);
    v.operand("offset", offset);
  }
  TensorType infer(const Types &t) const; // [1, 3, H, W]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
