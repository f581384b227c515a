// Attention's projections of one product taken apart: queries and keys turned by rotary position embedding
// (rope.h), keys and values appended to their caches.
//   y[t, h] = turned(x[t, h]),  k[at + t, g] = turned(x[t, H + g]),  v[at + t, g] = x[t, H + G + g]
// The same as three slices, two of them through rope, and two stores, in one dispatch (into q8 caches three).
#pragma once

#include "graph/op.h"
#include "ops/rope.h"

namespace fovea {

struct RopeQkv {
  static constexpr const char *kName = "rope_qkv";
  Value x;               // [B, T, (H + 2 G) K] f32, K even: heads of q, of k, of v
  Value frequencies;     // [R] f32, R <= K / 2: radians per position
  Value k;               // state [B, C, G K]: rows at .. at + T - 1 of each batch are overwritten
  Value v;               // alike; without it x has no heads of v
  uint32_t heads = 0;    // H
  uint32_t kv_heads = 0; // G; 0: the same as heads
  StepName at;           // position of the first row of each batch, and its row in the states; none: 0
  RopePairs pairs = RopePairs::Half;
  float scale = 1; // of q and k

  void fields(FieldVisitor &visitor) {
    visitor.operand("x", x);
    visitor.operand("frequencies", frequencies);
    visitor.operand("k", k);
    visitor.optional_operand("v", v);
    visitor.field("heads", heads, std::nullopt);
    visitor.field("kv_heads", kv_heads, 0u);
    visitor.field("at", at);
    visitor.field("pairs", pairs, kRopePairsNames);
    visitor.field("scale", scale, 1.f);
  }
  TensorType infer(const Types &t) const; // [B, T, H K]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const;

private:
  struct Sizes {
    uint64_t n_batch, n_rows, heads, kv_heads, head_size;
  };
  Sizes sizes(const Shape &x) const;
};

} // namespace fovea
