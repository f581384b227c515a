#include "base/tensor_type.h"

#include "base/checked.h"

namespace fovea {

Shape::Shape(std::span<const uint64_t> dims) {
  if (dims.size() > kMaxRank) fail(ErrorCode::InvalidArgument, "rank ", dims.size(), " exceeds ", kMaxRank);
  rank_ = int(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) dims_[i] = dims[i];
}

uint64_t Shape::elements() const {
  uint64_t n = 1;
  for (const uint64_t d : dims()) n = checked_mul(n, d, "tensor elements");
  return n;
}

uint64_t Shape::rows() const {
  uint64_t n = 1;
  for (int i = 0; i + 1 < rank_; ++i) n = checked_mul(n, dims_[size_t(i)], "tensor rows");
  return n;
}

Shape Shape::with(int i, uint64_t value) const {
  Shape copy = *this;
  copy.dims_[size_t(i < 0 ? i + rank_ : i)] = value;
  return copy;
}

std::string to_string(const Shape &shape) {
  std::string out = "[";
  for (int i = 0; i < shape.rank(); ++i) out += concat(i ? ", " : "", shape[i]);
  return out + "]";
}

const EncodingInfo &info(Encoding encoding) {
  static constexpr EncodingInfo rows[] = {
      {"f32", 1, 32, 0}, {"f16", 1, 16, 0}, {"i32", 1, 32, 0}, {"q8", 32, 8, 2}, {"q4", 32, 4, 2}};
  return rows[size_t(encoding)];
}

Encoding parse_encoding(std::string_view name) {
  std::string known;
  for (const Encoding e : kAllEncodings) {
    if (name == info(e).name) return e;
    known += concat(known.empty() ? "" : ", ", info(e).name);
  }
  fail(ErrorCode::InvalidArgument, "unknown encoding '", name, "' (known: ", known, ")");
}

uint64_t plane_bytes(const Shape &shape, Encoding encoding) {
  const EncodingInfo &e = info(encoding);
  if (e.group_size > 1 && (shape.rank() == 0 || shape.row() % e.group_size != 0))
    fail(ErrorCode::InvalidFile, e.name, " needs rows of a multiple of ", e.group_size, " elements, found ",
         shape);
  return checked_mul(shape.elements(), e.bits, "tensor bytes") / 8;
}

uint64_t scale_bytes(const Shape &shape, Encoding encoding) {
  const EncodingInfo &e = info(encoding);
  return e.scale_bytes == 0 ? 0 : shape.elements() / e.group_size * e.scale_bytes;
}

std::string to_string(const TensorType &type) { return concat(type.encoding, " ", type.shape); }

} // namespace fovea
