#include "exec/kernel_variant.h"

#include "kernels/catalogue.h"

namespace fovea {

vk::KernelVariant kernel_variant(const DeviceCaps &caps, const Dispatch &dispatch) {
  return {dispatch.kernel, dispatch.spec, uses_subgroups(dispatch.kernel) ? caps.subgroup_size : 0,
          dispatch.n_pieces > 1};
}

} // namespace fovea
