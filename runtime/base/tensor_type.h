// Shape and Encoding: what every tensor is. Rank <= 4, dense, row-major, no strides.
// Plain values; thread-safe. Rejected: strides (each op would grow layout branches), rank > 4 (nothing needs
// it).
#pragma once

#include "base/error.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace fovea {

inline constexpr int kMaxRank = 4;

/// Dimensions, outermost first: [T, D] is T rows of D adjacent elements. Rank 0 is a scalar of one element.
class Shape {
public:
  Shape() = default;
  Shape(std::initializer_list<uint64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  /// Error InvalidArgument when there are more than four dimensions.
  explicit Shape(std::span<const uint64_t> dims);

  int rank() const { return rank_; }
  /// Dimension i; negative i counts from the innermost: dim(-1) is the row length.
  uint64_t dim(int i) const { return dims_[size_t(i < 0 ? i + rank_ : i)]; }
  uint64_t operator[](int i) const { return dim(i); }
  /// Product of the dimensions; Error when it overflows.
  uint64_t elements() const;
  /// Length of a row (the innermost dimension; 1 for a scalar).
  uint64_t row() const { return rank_ == 0 ? 1 : dim(-1); }
  /// Number of rows: the product of all dimensions but the innermost.
  uint64_t rows() const;
  /// The same shape with dimension i (negative counts from the end) replaced.
  Shape with(int i, uint64_t value) const;
  std::span<const uint64_t> dims() const { return {dims_.data(), size_t(rank_)}; }

  friend bool operator==(const Shape &a, const Shape &b) = default;

private:
  std::array<uint64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

/// "[1500, 384]"
std::string to_string(const Shape &shape);

/// How elements are stored. f32/f16/i32 are plain arrays; q8 and q4 are planes over groups of 32 elements of
/// a row (see docs/format.md): packed integers in I32 words and one F16 scale a group.
enum class Encoding : uint8_t { F32, F16, I32, Q8, Q4 };

struct EncodingInfo {
  const char *name;     // "q8"
  uint32_t group_size;  // elements that share a scale; 1 when plain
  uint32_t bits;        // bits per element in the first plane
  uint32_t scale_bytes; // bytes of scale per group; 0 when plain
};
const EncodingInfo &info(Encoding encoding);
inline const char *to_string(Encoding encoding) { return info(encoding).name; }
inline constexpr std::array kAllEncodings = {Encoding::F32, Encoding::F16, Encoding::I32, Encoding::Q8,
                                             Encoding::Q4};
/// Error InvalidArgument for an unknown name; the message lists the known ones.
Encoding parse_encoding(std::string_view name);
/// Elements in 16 bytes of the first plane.
inline uint32_t elements_per_vector(Encoding encoding) { return 128 / info(encoding).bits; }
inline bool is_quantized(Encoding encoding) { return info(encoding).scale_bytes != 0; }

/// Bytes of the first plane ("q" for quantized encodings, the whole tensor otherwise). Error when a row of a
/// quantized tensor is not a multiple of the group size, and on overflow.
uint64_t plane_bytes(const Shape &shape, Encoding encoding);
/// Bytes of the scale plane; 0 for plain encodings.
uint64_t scale_bytes(const Shape &shape, Encoding encoding);

struct TensorType {
  Shape shape;
  Encoding encoding = Encoding::F32;
  uint64_t bytes() const { return plane_bytes(shape, encoding) + scale_bytes(shape, encoding); }
  friend bool operator==(const TensorType &, const TensorType &) = default;
};
/// "f16 [1500, 384]"
std::string to_string(const TensorType &type);

} // namespace fovea
