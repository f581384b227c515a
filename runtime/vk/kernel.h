// Kernel: the compute pipeline of one variant, its layout made from its SPIR-V.
//
// Owns the pipeline, its layout and its descriptor set layout. Immutable, so any thread may use it.
// Throws: Unsupported (needs a feature or limit this device lacks, or the driver refuses it; the message
// names kernel and device, and the caller falls through to its next variant), OutOfMemory, DeviceLost.
#pragma once

#include "kernels/kernel_name.h"
#include "vk/buffer.h"
#include "vk/reflect.h"

namespace fovea::vk {

/// Which pipeline: module, specialization constants and, where the kernel counts on it, the subgroup size.
struct KernelVariant {
  KernelId id{};
  std::vector<uint32_t> spec; // values of constants 0, 1, 2 …; 0 is the workgroup size
  uint32_t subgroup_size = 0; // not 0: exactly this many lanes, full subgroups
  bool in_pieces = false;     // its grids are launched in parts

  friend bool operator==(const KernelVariant &, const KernelVariant &) = default;
  friend auto operator<=>(const KernelVariant &, const KernelVariant &) = default;
};
/// "linear_f16(64, 8, 1) in subgroups of 8, in pieces"
std::string to_string(const KernelVariant &variant);

/// A byte range of a buffer behind a binding slot.
struct Binding {
  uint32_t slot = 0;
  const Buffer *buffer = nullptr;
  uint64_t offset = 0, size_bytes = 0;

  friend bool operator==(const Binding &, const Binding &) = default;
};

class Kernel {
public:
  /// `words`: the module, where it is not the catalogue's (tests).
  Kernel(std::shared_ptr<Context> context, KernelVariant variant, VkPipelineCache cache,
         std::span<const uint32_t> words = {});
  ~Kernel();
  Kernel(const Kernel &) = delete;
  Kernel &operator=(const Kernel &) = delete;

  const KernelVariant &variant() const { return variant_; }
  const KernelInterface &interface() const { return interface_; }
  VkPipeline pipeline() const { return pipeline_; }
  VkPipelineLayout layout() const { return layout_; }
  VkDescriptorSetLayout set_layout() const { return set_layout_; }

  /// Error Internal unless every slot is bound once, in bounds, aligned and not too large for this device,
  /// writable where the shader writes, and push constants have exactly the size the shader declares.
  void check(std::span<const Binding> bindings, size_t push_bytes) const;

private:
  void check_device_supports() const;
  void create(VkPipelineCache cache, std::span<const uint32_t> words);
  void destroy() noexcept;

  std::shared_ptr<Context> context_;
  KernelVariant variant_;
  KernelInterface interface_;
  VkDescriptorSetLayout set_layout_ = VK_NULL_HANDLE;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  VkPipeline pipeline_ = VK_NULL_HANDLE;
};

} // namespace fovea::vk
