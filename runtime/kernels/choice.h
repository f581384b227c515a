// KernelChoice: what selection returns, and what it was chosen among. Values.
#pragma once

#include "kernels/kernel_name.h"

#include <array>
#include <compare>
#include <vector>

namespace fovea {

/// What a kernel reads its operands through: shaders/include/operands.glsl.
/// TexelPairs: as Texels, the scales by texels of four.
enum class Operands { Buffers, Texels, TexelPairs };

/// One way of doing the work: a kernel with its own numbers (rows and columns of a tile, say; 0 where it has
/// none).
struct VariantId {
  KernelId kernel{};
  std::array<uint32_t, 2> tile{};
  friend auto operator<=>(const VariantId &, const VariantId &) = default;
};

/// What a choice depends on: the family with its encoding, named by its base kernel, and the classes of its
/// sizes (kernels/tuning.h). Shapes of one class are expected to prefer the same variant.
struct ChoiceKey {
  KernelId subject{};
  std::array<uint32_t, 4> sizes{};
  friend auto operator<=>(const ChoiceKey &, const ChoiceKey &) = default;
};

/// A kernel, ready for a Dispatch but for its bindings and push constants.
struct KernelChoice {
  KernelId kernel{};
  std::vector<uint32_t> spec; // specialization constants 0, 1, 2 …; 0 is the workgroup size
  std::array<uint32_t, 3> groups{1, 1, 1};
  Operands operands = Operands::Buffers;
  std::array<uint32_t, 2> tile{};
  ChoiceKey key{};                // of a choice among several
  std::vector<VariantId> among{}; // all that are admissible, this one too, in order of preference; or none
  VariantId id() const { return {kernel, tile}; }
};

} // namespace fovea
