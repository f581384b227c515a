#include "converter/features/mel.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// Linear below 1 kHz (15 mel), logarithmic above: 27 mel per factor of 6.4.
constexpr double kHzPerMel = 200.0 / 3, kKneeHz = 1000, kKneeMel = kKneeHz / kHzPerMel;
const double kLogStep = std::log(6.4) / 27;

double hz_to_mel(double hz) {
  return hz < kKneeHz ? hz / kHzPerMel : kKneeMel + std::log(hz / kKneeHz) / kLogStep;
}
double mel_to_hz(double mel) {
  return mel < kKneeMel ? mel * kHzPerMel : kKneeHz * std::exp((mel - kKneeMel) * kLogStep);
}

} // namespace

std::vector<float> fourier_basis(uint32_t window, uint32_t padded_bins) {
  std::vector<float> basis(2ull * padded_bins * window);
  const double turn = 2 * M_PI / window;
  for (uint32_t f = 0; f <= window / 2; ++f)
    for (uint32_t n = 0; n < window; ++n) {
      const double hann = 0.5 - 0.5 * std::cos(turn * n);
      const double angle = turn * double(uint64_t(f) * n % window);
      basis[size_t(f) * window + n] = float(hann * std::cos(angle));
      basis[(size_t(padded_bins) + f) * window + n] = float(-hann * std::sin(angle));
    }
  return basis;
}

std::vector<float> mel_filters(uint32_t n_mels, uint32_t window, uint32_t padded_bins, uint32_t sample_rate) {
  std::vector<double> edges(n_mels + 2);
  const double top = hz_to_mel(sample_rate / 2.0);
  for (uint32_t i = 0; i < edges.size(); ++i) edges[i] = mel_to_hz(top * i / (n_mels + 1));
  std::vector<float> filters(size_t(n_mels) * padded_bins);
  for (uint32_t m = 0; m < n_mels; ++m)
    for (uint32_t f = 0; f <= window / 2; ++f) {
      const double hz = double(f) * sample_rate / window;
      const double rising = (hz - edges[m]) / (edges[m + 1] - edges[m]);
      const double falling = (edges[m + 2] - hz) / (edges[m + 2] - edges[m + 1]);
      const double area = 2 / (edges[m + 2] - edges[m]);
      filters[size_t(m) * padded_bins + f] = float(area * std::max(0.0, std::min(rising, falling)));
    }
  return filters;
}

} // namespace fovea
