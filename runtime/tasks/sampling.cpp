#include "tasks/sampling.h"

#include <algorithm>
#include <cmath>

namespace fovea {

uint64_t Random::next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

int32_t sample_token(std::span<const float> logprobs, float temperature, Random &random) {
  float largest = kForbiddenLogprob;
  for (const float v : logprobs) largest = std::max(largest, v);
  const auto weight = [&](float v) {
    return v > kForbiddenLogprob ? std::exp((double(v) - double(largest)) / double(temperature)) : 0.0;
  };
  double sum = 0;
  for (const float v : logprobs) sum += weight(v);
  double rest = random.uniform() * sum;
  int32_t chosen = 0; // the last possible one, should rounding leave a rest
  for (size_t i = 0; i < logprobs.size(); ++i) {
    const double w = weight(logprobs[i]);
    if (w <= 0) continue;
    chosen = int32_t(i);
    if (rest < w) break;
    rest -= w;
  }
  return chosen;
}

float softmax_at(std::span<const float> logits, int32_t index) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float v : logits) sum += std::exp(double(v) - double(largest));
  return float(std::exp(double(logits[size_t(index)]) - double(largest)) / sum);
}

} // namespace fovea
