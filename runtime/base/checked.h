// Sizes from files and users: the one place where they are added and multiplied.
#pragma once

#include "base/error.h"

#include <cstdint>

namespace fovea {

/// a + b, or an InvalidFile Error that says `what` overflowed.
inline uint64_t checked_add(uint64_t a, uint64_t b, std::string_view what) {
  uint64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) fail(ErrorCode::InvalidFile, what, ": ", a, " + ", b, " overflows");
  return sum;
}

/// a × b, or an InvalidFile Error that says `what` overflowed.
inline uint64_t checked_mul(uint64_t a, uint64_t b, std::string_view what) {
  uint64_t product;
  if (__builtin_mul_overflow(a, b, &product))
    fail(ErrorCode::InvalidFile, what, ": ", a, " x ", b, " overflows");
  return product;
}

/// The smallest multiple of `alignment` that is >= value. No check: for sizes already bounded.
constexpr uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}
constexpr uint64_t align_down(uint64_t value, uint64_t alignment) { return value / alignment * alignment; }
constexpr uint64_t div_up(uint64_t value, uint64_t divisor) { return (value + divisor - 1) / divisor; }

} // namespace fovea
