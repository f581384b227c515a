#include "kernels/catalogue.h"

#include "base/error.h"
#include "kernels/packed_kernels.h"
#include "kernels/spirv_codec.h"

namespace fovea {
namespace {

const PackedKernel &row(KernelId id) { return packed_kernels().rows[uint32_t(id)]; }

std::vector<uint8_t> stream(const PackedKernel &kernel) {
  const std::vector<uint8_t> dictionary =
      kernel.like == PackedKernel::kAlone ? std::vector<uint8_t>() : stream(row(KernelId(kernel.like)));
  return lengthen(packed_kernels().bytes.subspan(kernel.offset, kernel.bytes), kernel.stream_bytes,
                  dictionary);
}

} // namespace

bool is_linked(KernelId id) { return row(id).bytes != 0; }

void require_linked(KernelId id) {
  if (!is_linked(id))
    fail(ErrorCode::Unsupported, "kernel ", to_string(id),
         " is not in this library, which was built for certain models only; build it with this model among "
         "those of "
         "FOVEA_KERNELS_FOR, or without that option");
}

std::vector<uint32_t> spirv(KernelId id) {
  require_linked(id);
  return words_of(stream(row(id)));
}

bool uses_subgroups(KernelId id) { return row(id).uses_subgroups; }
uint64_t spirv_hash() { return packed_kernels().hash; }

} // namespace fovea
