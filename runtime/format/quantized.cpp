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

/// out[k] = value(k), in a loop of its own for each encoding.
template <class Value> void fill(std::span<float> out, Value value) {
  for (size_t k = 0; k < out.size(); ++k) out[k] = value(k);
}

template <class Code>
void fill_scaled(std::span<float> out, std::span<const std::byte> scales, size_t group_size, Code code) {
  for (size_t begin = 0; begin < out.size(); begin += group_size) {
    const float scale = half_to_float(element<uint16_t>(scales, begin / group_size));
    for (size_t k = begin; k < begin + group_size; ++k) out[k] = scale * float(code(k));
  }
}

} // namespace

void decode_row(Encoding encoding, std::span<const std::byte> codes, std::span<const std::byte> scales,
                std::span<float> out) {
  const Shape row{out.size()};
  if (codes.size() != plane_bytes(row, encoding) || scales.size() != scale_bytes(row, encoding))
    fail(ErrorCode::Internal, "decode_row: ", codes.size(), " + ", scales.size(), " bytes do not hold ",
         out.size(), " ", encoding, " elements");
  const size_t group_size = info(encoding).group_size;
  switch (encoding) {
  case Encoding::F32: return fill(out, [&](size_t k) { return element<float>(codes, k); });
  case Encoding::F16: return fill(out, [&](size_t k) { return half_to_float(element<uint16_t>(codes, k)); });
  case Encoding::I32: return fill(out, [&](size_t k) { return float(element<int32_t>(codes, k)); });
  case Encoding::Q8:
    return fill_scaled(out, scales, group_size, [&](size_t k) { return int(int8_t(codes[k])); });
  case Encoding::Q4:
    return fill_scaled(out, scales, group_size,
                       [&](size_t k) { return int((unsigned(codes[k / 2]) >> (k % 2 * 4)) & 15u) - 8; });
  }
}

} // namespace fovea
