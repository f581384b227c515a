// What a compute shader does to each of its bindings: found by its loads, stores and atomics, whatever it
// declares. Code that a specialization constant switches off counts. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>

namespace fovea::layer {

struct SlotAccess {
  bool reads = false, writes = false;
};

/// By binding; bindings that nothing touches are left out.
std::map<uint32_t, SlotAccess> slot_accesses(std::span<const uint32_t> words);

} // namespace fovea::layer
