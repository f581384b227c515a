// A signal of fixed length from one of any length: zeros are appended up to `length`, then `left` and `right`
// elements are mirrored outwards at the ends without repeating the end itself, as a centred short-time
// Fourier transform wants (torch.stft with pad_mode="reflect").
//   y[left + i] = z[i],  z[-i] = z[i],  z[length - 1 + i] = z[length - 1 - i],  z[i] = i < N ? x[i] : 0
#pragma once

#include "graph/op.h"

namespace fovea {

struct ReflectPad {
  static constexpr const char *kName = "reflect_pad";
  Value x; // [N] f32, N <= length; the result is [left + length + right]
  uint32_t left = 0, right = 0, length = 0;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("left", left, 0u);
    v.field("right", right, 0u);
    v.field("length", length, std::nullopt);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
