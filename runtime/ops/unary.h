// Elementwise functions of one tensor: y = scale * f(max(x, min)).
// gelu is the exact form x Phi(x) (Hendrycks and Gimpel, 2016); gelu_tanh and quick_gelu its two
// approximations.
#pragma once

#include "graph/op.h"

#include <limits>

namespace fovea {

/// Those before Exp are numbered as in shaders/include/activation.glsl, the others in shaders/unary.comp.
enum class UnaryFunction : uint32_t {
  None,
  Gelu,
  Relu,
  Silu,
  GeluTanh,
  QuickGelu,
  Tanh,
  Sigmoid,
  Relu6,
  HardSwish,
  HardSigmoid,
  Exp,
  Log,
  Log10,
  Sqrt,
  Neg,
  Abs,
};
inline constexpr const char *kUnaryFunctionNames[] = {
    "identity",  "gelu",        "relu", "silu", "gelu_tanh", "quick_gelu", "tanh", "sigmoid", "relu6",
    "hardswish", "hardsigmoid", "exp",  "log",  "log10",     "sqrt",       "neg",  "abs"};

struct Unary {
  static constexpr const char *kName = "unary";
  static constexpr float kNoMinimum = std::numeric_limits<float>::lowest();
  Value x; // f32, any shape
  UnaryFunction f = UnaryFunction::None;
  float min = kNoMinimum; // x is raised to at least this first: the floor of a logarithm
  float scale = 1;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("f", f, kUnaryFunctionNames);
    v.field("min", min, kNoMinimum);
    v.field("scale", scale, 1.f);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
