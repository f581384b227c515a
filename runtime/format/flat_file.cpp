#include "format/flat_file.h"

namespace fovea {

std::vector<std::pair<std::string, TensorType>> planes_of(std::string_view name, const TensorType &type) {
  if (!is_quantized(type.encoding)) return {{std::string(name), type}};
  const EncodingInfo &e = info(type.encoding);
  const Shape &shape = type.shape;
  (void)plane_bytes(shape, type.encoding); // refuses rows that are no multiple of the group
  return {{concat(name, kCodePlane), {shape.with(-1, shape.row() * e.bits / 32), Encoding::I32}},
          {concat(name, kScalePlane), {shape.with(-1, shape.row() / e.group_size), Encoding::F16}}};
}

std::optional<TensorType> type_of_planes(const GgufTensor &codes, const GgufTensor &scales) {
  if (codes.encoding != Encoding::I32 || scales.encoding != Encoding::F16) return {};
  for (const Encoding encoding : kAllEncodings) {
    const EncodingInfo &e = info(encoding);
    // Both planes lie in the file, so their sizes are far from overflow.
    if (!is_quantized(encoding) || codes.shape.row() * 32 != scales.shape.row() * e.group_size * e.bits)
      continue;
    const Shape logical = scales.shape.with(-1, scales.shape.row() * e.group_size);
    if (codes.shape == logical.with(-1, codes.shape.row())) return TensorType{logical, encoding};
  }
  return {};
}

} // namespace fovea
