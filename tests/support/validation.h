// Validation errors that tests make on purpose: all others fail the run (device_main.cpp).
#pragma once

#include <atomic>
#include <cstdint>

namespace fovea::test {

inline std::atomic<uint64_t> &provoked_validation_errors() {
  static std::atomic<uint64_t> count{0};
  return count;
}

} // namespace fovea::test
