// Root-mean-square normalization (Zhang and Sennrich, 2019), of whole rows or of each head of a row:
//   y[n] = x[n] / sqrt(mean(x[n]^2) + eps) * gamma + residual[n]
// Models that store gamma - 1 are converted to gamma.
#pragma once

#include "ops/layer_norm.h"

namespace fovea {

struct RmsNorm {
  static constexpr const char *kName = "rms_norm";
  Value x;        // [.., T, D] f32
  Value gamma;    // [D / heads] f32, a tensor of the file
  Value residual; // [.., T, D] f32, or none
  float eps = 1e-6f;
  uint32_t heads = 1;    // each D / heads elements are normalized by themselves
  Rows rows = Rows::All; // last: only row T-1 of each batch; the result is [.., 1, D]; without residual

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("gamma", gamma);
    v.optional_operand("residual", residual);
    v.field("eps", eps, 1e-6f);
    v.field("heads", heads, 1u);
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
