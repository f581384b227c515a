// What a process holds at a moment, to be compared with another: memory of Fovea's own, memory of the whole,
// descriptors, threads.
//
// Fovea's own is what its code in the test program has taken by operator new and not given back, directly or
// through libstdc++: footprint.cpp replaces operator new for the program. The driver's and the test layer's
// is left out, which leak where we cannot help it. Any thread; nothing throws.
#pragma once

#include <cstdint>
#include <span>

namespace fovea::test {

struct Footprint {
  int64_t own_blocks = 0, own_bytes = 0; // alive
  int64_t heap_bytes = 0;                // of the C library, everybody's
  int64_t resident_bytes = 0;            // of the process
  uint64_t n_descriptors = 0;            // but a driver's own
  uint64_t n_threads = 0;
};
Footprint footprint();

/// The median of the slopes between all pairs of points, whose abscissas are 0, 1, 2 … (Theil and Sen).
double robust_slope(std::span<const double> values);

} // namespace fovea::test
