#include "base/half.h"
#include "converter/quantize/quantize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace fovea {
namespace {

constexpr size_t kGroup = 32;
using Group = std::span<const float, kGroup>;
using Codes = std::array<float, kGroup>; // -8 … 7

/// Rounds to nearest even; |value| < 2^22. Unlike std::nearbyint it vectorizes on every target.
float round_small(float value) { return (value + 0x1.8p23f) - 0x1.8p23f; }

Codes codes_for(Group group, float scale) {
  Codes out;
  const float inverse = scale != 0 ? 1 / scale : 0;
  for (size_t k = 0; k < kGroup; ++k) out[k] = round_small(std::min(7.f, std::max(-8.f, group[k] * inverse)));
  return out;
}

/// Σ term(k), in eight lanes that the compiler may keep in one register.
template <class Term> float sum_over_group(Term term) {
  constexpr size_t kLanes = 8;
  std::array<float, kLanes> lanes{};
  for (size_t k = 0; k < kGroup; k += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(k + lane);
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

/// What a candidate's codes explain of the group: with the scale that is best for them, Σ w c / Σ c², the
/// squared error is Σ w² - (Σ w c)² / Σ c².
struct Fit {
  float scale = 0, explained = 0;
};
Fit fit(Group group, const Codes &codes) {
  const float cc = sum_over_group([&](size_t k) { return codes[k] * codes[k]; });
  const float wc = sum_over_group([&](size_t k) { return group[k] * codes[k]; });
  return cc > 0 ? Fit{wc / cc, wc * wc / cc} : Fit{};
}

uint16_t choose_scale(Group group) {
  constexpr float kDivisors[] = {6.6f, 7.f, 7.3f, 7.6f, 7.8f, 8.f, 8.2f, 8.4f, 8.7f, 9.f, 9.5f, 10.f};
  float largest = 0; // in magnitude, with its sign
  for (const float w : group)
    if (std::abs(w) > std::abs(largest)) largest = w;
  Fit best;
  for (const float divisor : kDivisors) {
    const Fit found = fit(group, codes_for(group, -largest / divisor));
    if (found.explained > best.explained) best = found;
  }
  return encode_scale(best.scale);
}

} // namespace

// Codes reach from -8 to 7, so the scale's sign puts the element of largest magnitude at the -8 end. Of
// several divisors of that magnitude (below 8: the end is not reached; above: it is clipped for the sake of
// the others) the one with the least squared error is kept; its least-squares scale is rounded to F16 before
// the final codes are computed.
void encode_row_q4(std::span<const float> row, std::byte *codes, std::byte *scales) {
  for (size_t g = 0; g < row.size() / kGroup; ++g) {
    const Group group = row.subspan(g * kGroup).first<kGroup>();
    const uint16_t scale = choose_scale(group);
    std::memcpy(scales + 2 * g, &scale, 2);
    const Codes chosen = codes_for(group, half_to_float(scale));
    for (size_t k = 0; k < kGroup; k += 2)
      codes[(g * kGroup + k) / 2] = std::byte((int(chosen[k]) + 8) | (int(chosen[k + 1]) + 8) << 4);
  }
}

} // namespace fovea
