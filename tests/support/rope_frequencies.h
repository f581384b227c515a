// The usual table of rotary position embeddings: radians per position, base 10,000.
#pragma once

#include "graph/host_tensor.h"

#include <cmath>

namespace fovea::test {

inline HostTensor rope_frequencies(uint64_t n) {
  HostTensor table({{n}, Encoding::F32});
  for (uint64_t i = 0; i < n; ++i) table.f[i] = float(std::pow(10000.0, -double(i) / double(n)));
  return table;
}

} // namespace fovea::test
