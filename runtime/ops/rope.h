// Rotary position embedding (Su et al., 2021): each pair of a head's elements is turned by an angle that
// grows with the position. Every published way of stretching the context (linear, NTK by parts, YaRN ...) is
// another table of frequencies, and for YaRN a factor on the result: both come from the converter.
//   (y[i], y[j]) = scale * (x[i] cos a - x[j] sin a, x[j] cos a + x[i] sin a),   a = position *
//   frequencies[n] pairs=half: pair n is (n, n + R); pairs=neighbours: (2n, 2n + 1). Elements from 2R on stay
//   as they are.
#pragma once

#include "graph/op.h"

#include <span>

namespace fovea {

enum class RopePairs : uint32_t { Half, Neighbours };
inline constexpr const char *kRopePairsNames[] = {"half", "neighbours"};

struct Rope {
  static constexpr const char *kName = "rope";
  static constexpr bool kStores = true;
  Value x;            // [.., T, H * K] f32, K even
  Value frequencies;  // [R] f32, R <= K / 2: radians per position
  Value start;        // [B] i32: taken off the positions of batch b (not below 0), or none
  uint32_t heads = 0; // H
  StepName at;        // position of the first row of each batch; none: 0
  RopePairs pairs = RopePairs::Half;
  float scale = 1;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("frequencies", frequencies);
    v.optional_operand("start", start);
    v.field("heads", heads, std::nullopt);
    v.field("at", at);
    v.field("pairs", pairs, kRopePairsNames);
    v.field("scale", scale, 1.f);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

/// The reference for one head.
void turn_head(std::span<const float> from, uint32_t position, std::span<const float> frequencies,
               RopePairs pairs, float scale, float *to);

} // namespace fovea
