#include "kernels/catalogue.h"

namespace fovea {
namespace {

struct KernelRow {
  const char *name;
  const uint32_t *words;
  size_t n_words;
};

#include "kernels/kernel_table.inc"

} // namespace

const char *to_string(KernelId id) { return kKernelRows[uint32_t(id)].name; }
std::span<const uint32_t> spirv(KernelId id) {
  return {kKernelRows[uint32_t(id)].words, kKernelRows[uint32_t(id)].n_words};
}

} // namespace fovea
