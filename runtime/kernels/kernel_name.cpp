#include "kernels/kernel_name.h"

namespace fovea {
namespace {

#include "kernels/kernel_names.inc"

} // namespace

const char *to_string(KernelId id) { return kKernelNames[uint32_t(id)]; }

} // namespace fovea
