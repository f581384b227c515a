// KernelId, without its values: what plans and launches hold. Only code that names a kernel includes
// kernels/catalogue.h, which changes with every shader. Constant data; thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace fovea {

enum class KernelId : uint32_t;
/// The name of the row in shaders/CMakeLists.txt, e.g. "linear_f16_subgroup".
const char *to_string(KernelId id);
/// Its inverse. Error InvalidArgument.
KernelId kernel_named(std::string_view name);
/// False for a kernel that a library for certain models (FOVEA_KERNELS_FOR) leaves out.
bool is_linked(KernelId id);
/// Error Unsupported, which names the kernel and the option, unless it is linked.
void require_linked(KernelId id);

} // namespace fovea
