// A SPIR-V module with its specialization constants replaced by plain ones, and what is computed from them by
// its result: what a driver does that folds constants before it compiles. SwiftShader does not, and as it
// runs both sides of every branch, all activations of an epilogue are computed there for each element.
// Loops are marked as not to be unrolled: it would unroll all that it now knows the length of, which takes
// gigabytes and minutes for a tile of 32 rows. Pure; thread-safe. Rejected: a variant of each shader per tile
// at build time, a dependency on SPIRV-Tools.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fovea::vk {

/// `values` by specialization id; ids without a value keep their default. Empty when the module computes with
/// its constants what this does not know, or is no SPIR-V: the driver specializes it then.
std::vector<uint32_t> specialize(std::span<const uint32_t> words, std::span<const uint32_t> values);

} // namespace fovea::vk
