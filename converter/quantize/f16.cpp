#include "base/half.h"
#include "converter/quantize/quantize.h"

#include <cstring>

namespace fovea {

// Overflow becomes infinity, which encode() refuses.
void encode_row_f16(std::span<const float> row, std::byte *codes, std::byte *) {
  for (size_t k = 0; k < row.size(); ++k) {
    const uint16_t half = float_to_half(row[k]);
    std::memcpy(codes + 2 * k, &half, 2);
  }
}

} // namespace fovea
