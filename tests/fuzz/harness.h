// What every fuzz target does around the parser that it is about: an Error is an answer, anything else is a
// finding. So is an Error of code Internal, one that is not a single short line, memory beyond the input's
// size and 64 MiB, and more than kMaxSeconds of processor time. A finding ends the process with SIGABRT,
// which libFuzzer reports and keeps the input of. One thread.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace fovea::fuzz {

inline constexpr uint64_t kSpareBytes = 64 << 20;
inline constexpr double kMaxSeconds = 3; // of processor time, sanitizers included

/// Counts the memory and the time of one input from its construction to its end.
class Watch {
public:
  explicit Watch(uint64_t input_bytes);
  ~Watch();
  Watch(const Watch &) = delete;
  Watch &operator=(const Watch &) = delete;

private:
  double begin_s_;
};

/// The input, behind which nothing can be read: red zones, or in the build without AddressSanitizer a page
/// that cannot. Until the next call.
std::span<const std::byte> input_bytes(const uint8_t *data, size_t size);

/// Ends the process, saying `what`.
[[noreturn]] void finding(const char *what, const std::string &details = {});
/// A finding unless the Error is one that a stranger's file may cause.
void check_error(const Error &error);

/// Runs `body` on an input.
template <class Body> int run_input(std::span<const std::byte> input, Body &&body) {
  const Watch watch(input.size());
  try {
    body();
  } catch (const Error &error) {
    check_error(error);
  }
  return 0;
}

/// The same for a part of an input after which the rest is still worth a try.
template <class Body> void attempt(Body &&body) {
  try {
    body();
  } catch (const Error &error) {
    check_error(error);
  }
}

} // namespace fovea::fuzz
