#include "converter/quantize/quantize.h"

#include <cstring>

namespace fovea {

void encode_row_f32(std::span<const float> row, std::byte *codes, std::byte *) {
  std::memcpy(codes, row.data(), row.size_bytes());
}

} // namespace fovea
