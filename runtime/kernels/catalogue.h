// The SPIR-V modules built into the library, by KernelId (generated from shaders/CMakeLists.txt). They lie
// there packed (kernels/packed_kernels.h), a sixth of their size, and are unpacked each time they are asked
// for: about 0.02 ms, beside the many that a driver takes to compile one. Thread-safe.
#pragma once

#include "kernels/kernel_id.h"
#include "kernels/kernel_name.h"
#include "kernels/params.h"

#include <cstddef>
#include <vector>

namespace fovea {

/// The module's words. Error Unsupported when the kernel was left out.
std::vector<uint32_t> spirv(KernelId id);
/// Whether the module declares subgroup operations.
bool uses_subgroups(KernelId id);
/// Of the words of all modules that are linked.
uint64_t spirv_hash();

} // namespace fovea
