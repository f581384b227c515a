#include "exec/kernel_variant.h"

#include "kernels/catalogue.h"

#include "vk/reflect.h"

namespace fovea {
namespace {

constexpr uint32_t kCapabilityGroupNonUniform = 61; // SpvCapabilityGroupNonUniform

const std::vector<bool> &uses_subgroups() {
  static const std::vector<bool> table = [] {
    std::vector<bool> out(kKernelCount);
    for (uint32_t i = 0; i < kKernelCount; ++i)
      out[i] =
          vk::reflect(spirv(KernelId(i)), to_string(KernelId(i))).has_capability(kCapabilityGroupNonUniform);
    return out;
  }();
  return table;
}

} // namespace

vk::KernelVariant kernel_variant(const DeviceCaps &caps, const Dispatch &dispatch) {
  return {dispatch.kernel, dispatch.spec,
          uses_subgroups()[uint32_t(dispatch.kernel)] ? caps.subgroup_size : 0};
}

} // namespace fovea
