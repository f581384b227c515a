// How far a tensor may be from what the reference computed. Pure; thread-safe.
#pragma once

#include "graph/host_tensor.h"

#include <optional>

namespace fovea::check {

/// The largest error that correct arithmetic may show: `terms` roundings of the encoding's epsilon, relative
/// to the largest magnitude among the tensor's values.
double tolerance(Encoding encoding, uint64_t terms, double magnitude);

struct Comparison {
  double error = 0, allowed = 0; // the largest, by value
  std::string fault;             // "element 3 of f32 [2, 4] is 1, expected 2, allowed error 1e-6"; else empty
};

/// `factor` times the tolerance is allowed; integers must be the same. -1e38 and less stands for minus
/// infinity and must come out as such. Both tensors are of one type.
Comparison compare(const HostTensor &got, const HostTensor &want, uint64_t terms, double factor = 1);

} // namespace fovea::check
