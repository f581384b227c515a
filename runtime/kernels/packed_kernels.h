// The SPIR-V modules as they lie in the library: made by shaders/pack/pack_kernels.cpp at build time.
// Constant data.
#pragma once

#include <cstdint>
#include <span>

namespace fovea {

struct PackedKernel {
  static constexpr int32_t kAlone = -1;
  uint32_t offset = 0, bytes = 0; // 0 bytes: left out (FOVEA_KERNELS_FOR)
  uint32_t stream_bytes = 0;      // of bytes_of() the module
  int32_t like = kAlone;          // the kernel whose stream is the dictionary; itself alone
  bool uses_subgroups = false;
};

struct PackedKernels {
  std::span<const PackedKernel> rows; // by KernelId
  std::span<const uint8_t> bytes;
  uint64_t hash; // FNV-1a of the words of all modules, in order
};

/// One of two objects: that of all kernels, in fovea_kernels, or that of a selection, which a library for
/// certain models is linked with, and which then takes its place (cmake/fovea_selection.cmake).
const PackedKernels &packed_kernels();

} // namespace fovea
