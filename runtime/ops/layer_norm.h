// Layer normalization (Ba, Kiros and Hinton, 2016):
//   y[n] = (x[n] - mean(x[n])) / sqrt(var(x[n]) + eps) * gamma + beta
#pragma once

#include "graph/op.h"

namespace fovea {

enum class Rows : uint32_t { All, Last };
inline constexpr const char *kRowsNames[] = {"all", "last"};

struct LayerNorm {
  static constexpr const char *kName = "layer_norm";
  Value x;           // [.., T, D] f32
  Value gamma, beta; // [D] f32
  float eps = 1e-5f;
  Rows rows = Rows::All; // last: only row T-1 of each batch; the result is [.., 1, D]

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("gamma", gamma);
    v.operand("beta", beta);
    v.field("eps", eps, 1e-5f);
    v.field("rows", rows, kRowsNames);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const {
    if (rows == Rows::Last) work.reads(x, 1 / double(work.shape(x).dim(-2)));
  }
};

} // namespace fovea
