#include "audio/voice_activity.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>
#include <utility>

namespace fovea {
namespace {

constexpr double kBandEdgesHz[] = {100,  200,  300,  400,  510,  630,  770,  920,  1080, 1270, 1480,
                                   1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400, 7700};
constexpr size_t kAverage = 8;                // frames
constexpr size_t kParts = 12, kPartHops = 25; // the memory of the noise: 12 parts of 0.25 s
constexpr size_t kQuietParts = 4;             // of it, supposed to have been before the beginning
constexpr double kUnknown = std::numeric_limits<double>::infinity();
// White noise so quiet (-70 dB) is no noise to stand out of.
constexpr double kQuietest = 1e-7;
constexpr double kVoiceRatio = 3; // half an hour of noise alone stays below 2

} // namespace

VoiceActivity::VoiceActivity(uint32_t rate_hz) : hop_((rate_hz + 50) / 100) {
  const size_t n = std::bit_ceil(2 * hop_);
  last_.resize(n);
  bins_.resize(n);
  const double step = 2 * std::numbers::pi / double(n);
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    const double w = 0.5 - 0.5 * std::cos(step * (double(i) + 0.5)); // Hann
    window_.push_back(w);
    sum += w * w;
  }
  for (double &w : window_) w /= std::sqrt(sum); // white noise of power p has p in every bin
  for (size_t i = 0; i < n / 2; ++i) roots_.push_back(std::polar(1.0, -step * double(i)));
  for (size_t i = 0; i + 1 < std::size(kBandEdgesHz); ++i) {
    const auto bin = [&](double hz) { return size_t(std::ceil(hz * double(n) / rate_hz)); };
    Band band;
    band.begin = bin(kBandEdgesHz[i]);
    band.end = std::min(bin(kBandEdgesHz[i + 1]), n / 2);
    if (band.begin >= band.end) continue;
    band.correction = 1 + 2.5 / std::sqrt(double(band.end - band.begin)); // measured, of white noise
    band.recent.assign(kAverage, 0);
    band.minimum = kUnknown;
    band.minima.assign(kParts, kUnknown);
    std::fill_n(band.minima.begin() + 1, kQuietParts, 0); // those that are overwritten first
    bands_.push_back(std::move(band));
  }
}

double VoiceActivity::Band::noise() const {
  const double least = std::min(minimum, *std::min_element(minima.begin(), minima.end()));
  return std::max(least * correction, kQuietest);
}

// In place, radix 2.
void VoiceActivity::transform() {
  const size_t n = bins_.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(bins_[i], bins_[j]);
  }
  for (size_t half = 1; half < n; half *= 2)
    for (size_t at = 0; at < n; at += 2 * half)
      for (size_t k = 0; k < half; ++k) {
        const auto turned = bins_[at + half + k] * roots_[k * (n / 2 / half)];
        bins_[at + half + k] = bins_[at + k] - turned;
        bins_[at + k] += turned;
      }
}

bool VoiceActivity::push(std::span<const float> samples) {
  std::copy(last_.begin() + std::ptrdiff_t(hop_), last_.end(), last_.begin());
  // Beyond full scale, powers could overflow.
  std::transform(samples.begin(), samples.end(), last_.end() - std::ptrdiff_t(hop_),
                 [](float v) { return std::clamp(v, -1.0f, 1.0f); });
  for (size_t i = 0; i < bins_.size(); ++i) bins_[i] = window_[i] * double(last_[i]);
  transform();
  ratio_ = 0;
  for (Band &band : bands_) {
    double power = 0;
    for (size_t i = band.begin; i < band.end; ++i) power += std::norm(bins_[i]);
    power /= double(band.end - band.begin);
    ratio_ += power / band.noise() / double(bands_.size());
    double &oldest = band.recent[n_frames_ % kAverage];
    oldest = power;
    band.average = 0;
    for (const double p : band.recent) band.average += p / double(kAverage);
    if (n_frames_ + 1 >= kAverage) band.minimum = std::min(band.minimum, band.average);
    if ((n_frames_ + 1) % kPartHops == 0)
      band.minima[(n_frames_ + 1) / kPartHops % kParts] = std::exchange(band.minimum, band.average);
  }
  ++n_frames_;
  return ratio_ > kVoiceRatio;
}

} // namespace fovea
