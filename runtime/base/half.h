// Conversions between IEEE binary32 and the two 16-bit floats (IEEE binary16, bfloat16), round to nearest
// even. Portable C++: no compiler half type, which g++ 12 lacks on some targets.
#pragma once

#include <bit>
#include <cstdint>

namespace fovea {

/// binary16 → binary32, exact. Infinities and NaN are kept.
inline float half_to_float(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000u) << 16;
  const uint32_t exponent = (h >> 10) & 31u, mantissa = h & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float subnormal = float(mantissa) * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

/// binary32 → binary16, round to nearest even; overflow gives infinity, NaN stays NaN.
inline uint16_t float_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = uint16_t((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return uint16_t(sign | 0x7E00u);
  if (magnitude >= 0x477FF000u) return uint16_t(sign | 0x7C00u); // rounds to 2^16 or more
  if (magnitude < 0x38800000u) { // subnormal in binary16: let the FPU round at 2^-24
    const float scaled = std::bit_cast<float>(magnitude) + 0.5f; // ulp of 0.5 is 2^-24
    return uint16_t(sign | (std::bit_cast<uint32_t>(scaled) - 0x3F000000u));
  }
  const uint32_t rounded = magnitude + 0xFFFu + ((magnitude >> 13) & 1u) - 0x38000000u;
  return uint16_t(sign | (rounded >> 13));
}

/// bfloat16 → binary32, exact.
inline float bfloat16_to_float(uint16_t b) { return std::bit_cast<float>(uint32_t(b) << 16); }

} // namespace fovea
