// A layer_norm whose result is known, in guarded memory: what the tests of dispatches launch.
#pragma once

#include "tests/vk/support.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

namespace fovea::vk {

inline constexpr float kEpsilon = 1e-5f;
inline constexpr size_t kGuard =
    64; // floats on each side of the output: 256 bytes, the largest alignment there is
inline constexpr float kGuardValue = -12345.0f;

inline std::vector<float> reference(std::span<const float> x, std::span<const float> gamma,
                                    std::span<const float> beta) {
  const size_t length = gamma.size();
  std::vector<float> y(x.size());
  for (size_t row = 0; row < x.size() / length; ++row) {
    const auto in = x.subspan(row * length, length);
    const double mean = std::accumulate(in.begin(), in.end(), 0.0) / double(length);
    double variance = 0;
    for (float v : in) variance += (double(v) - mean) * (double(v) - mean) / double(length);
    for (size_t d = 0; d < length; ++d)
      y[row * length + d] =
          float((double(in[d]) - mean) / std::sqrt(variance + double(kEpsilon)) * double(gamma[d]) +
                double(beta[d]));
  }
  return y;
}

inline std::vector<float> random_floats(size_t n, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(n);
  for (float &v : out) v = normal(engine);
  return out;
}

inline void fill(const Buffer &buffer, std::span<const float> values) {
  std::memcpy(buffer.data(), values.data(), values.size_bytes());
  buffer.flush(0, values.size_bytes());
}

/// x, gamma, beta and a guarded, NaN-poisoned output, all in memory that the host sees.
struct LayerNormCase {
  uint32_t n_rows, length;
  std::vector<float> x, gamma, beta;
  Buffer bx, bgamma, bbeta, by;

  LayerNormCase(Device &device, uint32_t rows, uint32_t row_length)
      : n_rows(rows), length(row_length),
        x(random_floats(size_t(rows) * row_length, rows * 1000 + row_length)),
        gamma(random_floats(row_length, 1)), beta(random_floats(row_length, 2)) {
    const auto make = [&](size_t n) {
      return device.allocate(MemoryKind::Shared, n * sizeof(float), "layer_norm");
    };
    bx = make(x.size());
    bgamma = make(length);
    bbeta = make(length);
    by = make(x.size() + 2 * kGuard);
    fill(bx, x);
    fill(bgamma, gamma);
    fill(bbeta, beta);
    poison();
  }
  void poison() const {
    std::vector<float> y(x.size() + 2 * kGuard, kGuardValue);
    std::fill_n(y.begin() + kGuard, x.size(), std::numeric_limits<float>::quiet_NaN());
    fill(by, y);
  }
  DispatchCommand command(const Kernel &kernel) const {
    DispatchCommand out;
    out.kernel = &kernel;
    out.bindings = {{3, &by, kGuard * sizeof(float), x.size() * sizeof(float)}, // in any order
                    {0, &bx, 0, x.size() * sizeof(float)},
                    {1, &bgamma, 0, length * sizeof(float)},
                    {2, &bbeta, 0, length * sizeof(float)}};
    out.push_constants = test::bytes_of(
        LayerNormParams{.n_rows = n_rows, .row_length = length, .row_stride = 1, .epsilon = kEpsilon});
    out.groups = {n_rows, 1, 1};
    return out;
  }
  void check() const {
    by.invalidate(0, by.size_bytes());
    const float *y = test::floats(by);
    const std::vector<float> expected = reference(x, gamma, beta);
    double worst = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const double error =
          std::abs(double(y[kGuard + i]) - double(expected[i])) / (1 + std::abs(double(expected[i])));
      worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
    // Sums of `length` terms in binary32, and an inversesqrt good to 2 ulp.
    CHECK(worst <= (16 + std::sqrt(double(length))) * 0x1p-24);
    for (size_t i = 0; i < kGuard; ++i) {
      CHECK(y[i] == kGuardValue);
      CHECK(y[kGuard + expected.size() + i] == kGuardValue);
    }
  }
};

} // namespace fovea::vk
