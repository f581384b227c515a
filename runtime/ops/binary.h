// Elementwise functions of two tensors: y = f(a, b). b has a's shape, or its trailing dimensions and is
// repeated: a bias [D], positions [T, D] over a batch [B, T, D].
#pragma once

#include "graph/op.h"

namespace fovea {

/// As numbered in shaders/binary.comp.
enum class BinaryFunction : uint32_t { Add, Sub, Mul, Max, Min };
inline constexpr const char *kBinaryFunctionNames[] = {"add", "sub", "mul", "max", "min"};

struct Binary {
  static constexpr const char *kName = "binary";
  Value a, b; // f32
  BinaryFunction f = BinaryFunction::Add;

  void fields(FieldVisitor &v) {
    v.operand("a", a);
    v.operand("b", b);
    v.field("f", f, kBinaryFunctionNames);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
