#include "check/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea::check {

double tolerance(Encoding encoding, uint64_t terms, double magnitude) {
  const double f32 = double(std::numeric_limits<float>::epsilon()) * double(terms + 8);
  if (encoding == Encoding::Q8) return magnitude / 127; // a rounding that went the other way
  return magnitude * (encoding == Encoding::F16 ? f32 + 0x1p-10 : f32);
}

Comparison compare(const HostTensor &got, const HostTensor &want, uint64_t terms, double factor) {
  if (got.type != want.type)
    return {INFINITY, 0, concat("the result is ", got.type, ", expected ", want.type)};
  if (want.type.encoding == Encoding::I32) {
    const auto [a, b] = std::mismatch(got.i.begin(), got.i.end(), want.i.begin());
    if (a == got.i.end()) return {};
    return {INFINITY, 0,
            concat("element ", size_t(a - got.i.begin()), " of ", want.type, " is ", *a, ", expected ", *b)};
  }
  const auto is_lowest = [](float v) { return v <= -1e38f; };
  double magnitude = 0, worst = 0;
  size_t worst_at = 0;
  for (const float v : want.f)
    if (!is_lowest(v)) magnitude = std::max(magnitude, std::abs(double(v)));
  for (size_t i = 0; i < want.f.size(); ++i) {
    const double error = std::isfinite(got.f[i]) ? std::abs(double(got.f[i]) - double(want.f[i])) : INFINITY;
    const double weighed = !is_lowest(want.f[i]) ? error : is_lowest(got.f[i]) ? 0 : INFINITY;
    if (weighed > worst) worst = weighed, worst_at = i;
  }
  Comparison out{worst, factor * tolerance(want.type.encoding, terms, magnitude), {}};
  if (!(worst <= out.allowed))
    out.fault = concat("element ", worst_at, " of ", want.type, " is ", got.f[worst_at], ", expected ",
                       want.f[worst_at], ", allowed error ", out.allowed);
  return out;
}

} // namespace fovea::check
