#include "converter/quantize/quantize.h"

#include <cstring>

namespace fovea {

// Index tables: the values are integers of at most 2^24 that a float holds exactly.
void encode_row_i32(std::span<const float> row, std::byte *codes, std::byte *) {
  for (size_t k = 0; k < row.size(); ++k) {
    const int32_t value = row[k] >= -0x1p24f && row[k] <= 0x1p24f ? int32_t(row[k]) : 0;
    std::memcpy(codes + 4 * k, &value, 4);
  }
}

} // namespace fovea
