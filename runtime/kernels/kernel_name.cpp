#include "kernels/kernel_name.h"

#include "base/error.h"

namespace fovea {
namespace {

#include "kernels/kernel_names.inc"

} // namespace

const char *to_string(KernelId id) { return kKernelNames[uint32_t(id)]; }

KernelId kernel_named(std::string_view name) {
  for (uint32_t i = 0; i < std::size(kKernelNames); ++i)
    if (name == kKernelNames[i]) return KernelId(i);
  fail(ErrorCode::InvalidArgument, "no kernel is named '", name, "'");
}

} // namespace fovea
