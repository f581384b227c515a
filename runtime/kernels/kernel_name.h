// KernelId, without its values: what plans and launches hold. Only code that names a kernel includes
// kernels/catalogue.h, which changes with every shader. Constant data; thread-safe.
#pragma once

#include <cstdint>

namespace fovea {

enum class KernelId : uint32_t;
/// The name of the row in shaders/CMakeLists.txt, e.g. "linear_f16_subgroup".
const char *to_string(KernelId id);

} // namespace fovea
