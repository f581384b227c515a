// Choosing tokens from distributions on the host. Pure; any thread; nothing throws.
// Rejected: <random> distributions (another result with each standard library).
#pragma once

#include <cstdint>
#include <span>

namespace fovea {

/// SplitMix64 (Steele, Lea, Flood 2014): the same sequence everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// In [0, 1).
  double uniform() { return double(next() >> 11) * 0x1p-53; }

private:
  uint64_t state_;
};

/// Log-probabilities at or below this are tokens that the rules forbid.
inline constexpr float kForbiddenLogprob = -1e30f;

/// An index drawn with probability proportional to exp(logprobs / temperature); forbidden ones never.
/// temperature > 0. 0 when all are forbidden.
int32_t sample_token(std::span<const float> logprobs, float temperature, Random &random);

/// softmax(logits)[index].
float softmax_at(std::span<const float> logits, int32_t index);

} // namespace fovea
