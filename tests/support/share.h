// How much of a test is done, where all of it takes long.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace fovea::test {

/// How many of a sweep's tries to make: one in so many. FOVEA_EVERY says otherwise; 1 makes all (stage soak).
inline size_t one_in(size_t usual) {
  const char *value = std::getenv("FOVEA_EVERY");
  return value ? size_t(std::max(1, std::atoi(value))) : usual;
}

/// Of the plans that op tests make, in turn, which one to run: one in FOVEA_TEST_OPS_EVERY, by default each.
/// The rest are only planned. What comes of one op's variants is spread by a hash.
inline bool is_plan_run() {
  static const char *const value = std::getenv("FOVEA_TEST_OPS_EVERY");
  static const uint32_t every = value ? uint32_t(std::max(1, std::atoi(value))) : 1;
  static uint32_t n = 0;
  return ((++n * 2654435761u) >> 16) % every == 0;
}

} // namespace fovea::test
