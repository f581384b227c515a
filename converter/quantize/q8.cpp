#include "base/half.h"
#include "converter/quantize/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fovea {

// The scale is rounded to F16 before the codes are computed, so that they make up for its rounding.
void encode_row_q8(std::span<const float> row, std::byte *codes, std::byte *scales) {
  constexpr size_t kGroup = 32;
  for (size_t g = 0; g < row.size() / kGroup; ++g) {
    const auto group = row.subspan(g * kGroup, kGroup);
    float largest = 0;
    for (const float w : group) largest = std::max(largest, std::abs(w));
    const uint16_t scale = encode_scale(largest / 127);
    std::memcpy(scales + 2 * g, &scale, 2);
    const float s = half_to_float(scale);
    const float inverse = s > 0 ? 1 / s : 0;
    for (size_t k = 0; k < kGroup; ++k) {
      const float code = std::clamp(std::nearbyint(group[k] * inverse), -127.f, 127.f);
      codes[g * kGroup + k] = std::byte(int8_t(code == code ? code : 0));
    }
  }
}

} // namespace fovea
