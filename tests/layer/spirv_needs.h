// What a compute shader needs of a device once its specialization constants have their values. Pure; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>

namespace fovea::layer {

/// Values by constant's SpecId; a bool's is 0 or 1.
using SpecValues = std::map<uint32_t, uint32_t>;

struct SpirvNeeds {
  std::set<uint32_t> capabilities;
  /// Unset where they depend on an operation that is not known here.
  std::optional<std::array<uint32_t, 3>> workgroup;
  std::optional<uint64_t> shared_bytes; // laid out as storage buffers are
};

SpirvNeeds spirv_needs(std::span<const uint32_t> words, const SpecValues &values = {});

} // namespace fovea::layer
