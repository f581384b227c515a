// A map at another size, by interpolation between its positions: y = act(resized(x) + residual). The
// arithmetic is that of the common frameworks: positions are squares (or, with align_corners, points whose
// corners meet); bilinear clamps to the border, bicubic is Keys' convolution with a = -0.75 (Keys, 1981),
// nearest rounds down. No antialiasing: what is shrunk is sampled.
#pragma once

#include "ops/linear.h"

namespace fovea {

/// As numbered in shaders/resize2d.comp.
enum class ResizeMode : uint32_t { Bilinear, Nearest, Bicubic };
inline constexpr const char *kResizeModeNames[] = {"bilinear", "nearest", "bicubic"};

struct Resize2d {
  static constexpr const char *kName = "resize2d";
  Value x;        // [B, H, W, C] f32
  Value like;     // [.., H', W', ..] of rank 4, or none: whose height and width the result takes
  Value residual; // [B, H', W', C] f32, or none
  ResizeMode mode = ResizeMode::Bilinear;
  uint32_t height = 0, width = 0; // H' and W' without `like`, or
  uint32_t factor = 0;            // H' = factor H, W' = factor W
  bool align_corners = false;
  Activation act = Activation::None;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.optional_operand("like", like);
    v.optional_operand("residual", residual);
    v.field("mode", mode, kResizeModeNames);
    v.field("height", height, 0u);
    v.field("width", width, 0u);
    v.field("factor", factor, 0u);
    v.field("align_corners", align_corners, false);
    v.field("act", act, kActivationNames);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
