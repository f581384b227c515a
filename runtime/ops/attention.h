// Scaled dot-product attention (Vaswani et al., 2017) with grouped-query heads (Ainslie et al., 2023),
// sliding windows (Beltagy et al., 2020) and relative position biases (Raffel et al., 2020); softmax taken
// online (Dao et al., 2022): no score matrix in memory.
//   y[t, h] = sum_s softmax_s(scale * q[t, h] . k[s, g] + bias[h, s - pos(t)]) v[s, g],   g = h / (heads /
//   kv_heads)
// over the keys that query t sees; pos(t) = past + t. A query that sees none gives zeros.
#pragma once

#include "graph/op.h"

namespace fovea {

/// What attention and attention_weights share: every operand but v.
struct AttentionFields {
  Value q;    // [.., T, H * K] f32; a feature map [B, h, w, H * K] counts as h * w positions
  Value k;    // [S, G * K], shared by all batches of q, or [B, S, G * K], or a map; f32, or an f16 state
  Value mask; // optional [S] or [B, S] i32: key s is hidden where it is 0
  Value
      bias; // optional tensor of the file [H, R] f32, R odd, by distance s - pos(t), clamped to ±(R - 1) / 2
  uint32_t heads = 0;    // H
  uint32_t kv_heads = 0; // G; 0: the same as heads
  bool causal = false;   // query t sees keys s <= pos(t)
  StepName past;   // keys before query 0; only past + T of the S rows hold something. Without it all S do.
  float scale = 0; // 0: 1 / sqrt(K)
  uint32_t window = 0; // query t sees keys s > pos(t) - window; 0: all

  void visit_fields(FieldVisitor &visitor);
  /// Of `keys` (k, and v) the rows that some query sees; of all pairs of query and key those that it does.
  void work_on(OpWork &work, std::initializer_list<Value> keys) const;
};

struct Attention : AttentionFields {
  static constexpr const char *kName = "attention";
  Value v; // as k

  void fields(FieldVisitor &visitor);
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const { work_on(work, {k, v}); }
};

} // namespace fovea
