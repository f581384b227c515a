#include "format/quantized.h"

#include "base/half.h"

#include <cstring>

namespace fovea {
namespace {

template <class T> T element(std::span<const std::byte> bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return value;
}

float code(Encoding encoding, std::span<const std::byte> codes, size_t k) {
  if (encoding == Encoding::Q8) return float(element<int8_t>(codes, k));
  const unsigned both = unsigned(codes[k / 2]);
  return float(int((both >> (k % 2 * 4)) & 15u) - 8);
}

} // namespace

void decode_row(Encoding encoding, std::span<const std::byte> codes, std::span<const std::byte> scales,
                std::span<float> out) {
  const Shape row{out.size()};
  if (codes.size() != plane_bytes(row, encoding) || scales.size() != scale_bytes(row, encoding))
    fail(ErrorCode::Internal, "decode_row: ", codes.size(), " + ", scales.size(), " bytes do not hold ",
         out.size(), " ", encoding, " elements");
  for (size_t k = 0; k < out.size(); ++k) {
    switch (encoding) {
    case Encoding::F32: out[k] = element<float>(codes, k); break;
    case Encoding::F16: out[k] = half_to_float(element<uint16_t>(codes, k)); break;
    case Encoding::I32: out[k] = float(element<int32_t>(codes, k)); break;
    case Encoding::Q8:
    case Encoding::Q4:
      out[k] =
          half_to_float(element<uint16_t>(scales, k / info(encoding).group_size)) * code(encoding, codes, k);
      break;
    }
  }
}

} // namespace fovea
