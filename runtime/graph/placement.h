// The planner's two algorithms over plain numbers: where buffers lie in the arena, and where barriers are
// needed.
#pragma once

#include "graph/dispatch.h"

#include <cstdint>
#include <vector>

namespace fovea {

/// First and last dispatch that touches a buffer. Unused: never extended.
struct Lifetime {
  uint32_t first = 0xFFFFFFFFu, last = 0;
  uint64_t bytes = 0;
  void extend(uint32_t at) {
    first = at < first ? at : first;
    last = at > last ? at : last;
  }
  bool used() const { return first <= last; }
};

struct Placement {
  std::vector<uint64_t> offsets; // by buffer; 0 for unused ones
  uint64_t bytes = 0;            // of the arena
};

/// Largest first, each at the lowest offset free of buffers that live at the same time.
Placement place(const std::vector<Lifetime> &buffers);

/// Sets barrier_before where a dispatch reads or writes bytes that an earlier one since the last barrier
/// wrote, or writes bytes that one read.
void set_barriers(std::vector<Dispatch> &dispatches);

} // namespace fovea
