// Scaled dot-product attention (Vaswani et al., 2017) with grouped-query heads (Ainslie et al., 2023),
// softmax taken online (Dao et al., 2022): no score matrix in memory.
//   y[t, h] = sum_s softmax_s(scale * q[t, h] . k[s, g]) v[s, g],   g = h / (heads / kv_heads)
#pragma once

#include "graph/op.h"

namespace fovea {

struct Attention {
  static constexpr const char *kName = "attention";
  Value q;    // [.., T, H * K] f32
  Value k, v; // [S, G * K], shared by all batches of q, or [B, S, G * K]; f32, or an f16 state
  uint32_t heads = 0;
  uint32_t kv_heads = 0; // 0: the same as heads
  bool causal = false;   // query t sees keys s <= past + t
  StepName past;   // keys before query 0; only past + T of the S rows hold something. Without it all S do.
  float scale = 0; // 0: 1 / sqrt(K)

  void fields(FieldVisitor &visitor) {
    visitor.operand("q", q);
    visitor.operand("k", k);
    visitor.operand("v", v);
    visitor.field("heads", heads, std::nullopt);
    visitor.field("kv_heads", kv_heads, 0u);
    visitor.field("causal", causal, false);
    visitor.field("past", past);
    visitor.field("scale", scale, 0.f);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
