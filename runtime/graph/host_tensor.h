// A tensor in host memory, for the reference interpreter and for tests. A value.
#pragma once

#include "base/tensor_type.h"

#include <vector>

namespace fovea {

struct HostTensor {
  TensorType type;
  std::vector<float> f;   // f32, and the values of f16, q8 and q4 as f32
  std::vector<int32_t> i; // i32

  HostTensor() = default;
  /// Zero-filled.
  explicit HostTensor(const TensorType &t) : type(t) {
    if (t.encoding == Encoding::I32)
      i.resize(t.shape.elements());
    else
      f.resize(t.shape.elements());
  }
};

} // namespace fovea
