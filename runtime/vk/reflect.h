// What a compute shader asks for, read from its SPIR-V: the pipeline layout is made from it, and dispatches
// are checked against it, so that shader and host cannot drift apart. Pure; thread-safe. Throws
// InvalidArgument on a module that is not SPIR-V or uses what Fovea's kernels do not (several sets, images).
// Rejected: SPIRV-Reflect (more than needed).
#pragma once

#include "base/error.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace fovea::vk {

enum class BindingType : uint8_t { StorageBuffer, UniformBuffer, TexelBuffer };
const char *to_string(BindingType type);
/// Element of a texel buffer: samplerBuffer, usamplerBuffer, isamplerBuffer; four 32-bit components. SPIR-V
/// names no format, so two slots are set aside: a samplerBuffer at kHalfTexelSlot has elements of one half, a
/// usamplerBuffer at kPairTexelSlot elements of two words.
enum class TexelType : uint8_t { Float, Uint, Int, Half, Pair };
inline constexpr uint32_t kHalfTexelSlot = 5, kPairTexelSlot = 6;
/// Bytes of an element.
constexpr uint64_t texel_bytes(TexelType type) {
  return type == TexelType::Half ? 2 : type == TexelType::Pair ? 8 : 16;
}

struct KernelBinding {
  uint32_t slot = 0;
  BindingType type = BindingType::StorageBuffer;
  bool reads = true, writes = true; // as declared: readonly, writeonly
  TexelType texel = TexelType::Float;

  friend bool operator==(const KernelBinding &, const KernelBinding &) = default;
};

struct KernelInterface {
  std::vector<KernelBinding> bindings; // by slot
  uint32_t push_constant_bytes = 0;
  std::vector<uint32_t> spec_ids;                        // ascending
  std::vector<uint32_t> capabilities;                    // SpvCapability
  std::array<uint32_t, 3> local_size = {1, 1, 1};        // where not specialized
  std::array<int32_t, 3> local_size_spec = {-1, -1, -1}; // specialization id of each size; -1: fixed

  bool has_capability(uint32_t capability) const;
  const KernelBinding *find(uint32_t slot) const;
};

/// `name` is for errors.
KernelInterface reflect(std::span<const uint32_t> words, std::string_view name);

} // namespace fovea::vk
