// One axis of a resize: where in the source each kept element of the result has its centre, in whole numbers.
// Shared by the lowering and the reference of image ops. Pure; thread-safe.
#pragma once

#include "ops/resize_image.h"

namespace fovea {

struct ImageAxis {
  uint64_t from = 0, to = 0; // elements before and after the resize
  int64_t first = 0;         // element of the resized axis that is element 0 of the crop; may be negative
  uint64_t kept = 0;         // elements of the crop

  /// Elements of the crop that lie on the resized axis: [begin, end).
  uint64_t begin() const { return first < 0 ? uint64_t(-first) : 0; }
  uint64_t end() const;
  /// The centre of element i of the crop is quotient + remainder / (2 to), in the source's elements.
  struct Centre {
    uint64_t quotient, remainder;
  };
  Centre centre(uint64_t i) const;
  /// How much the filter is stretched, at least 1.
  double stretch() const { return from > to ? double(from) / double(to) : 1; }
  /// Most source elements that one result element is made of.
  uint64_t taps(double support) const;
  /// Source elements that the elements of the crop touch: [first, last).
  struct Range {
    uint64_t first, last;
  };
  Range touched(double support) const;
};

struct ImageAxes {
  ImageAxis y, x;
  /// Pillow 13 takes rows first where they lose more than twice as many as columns do.
  bool rows_first() const {
    return y.from > y.to && int64_t(y.from - y.to) > 2 * (int64_t(x.from) - int64_t(x.to));
  }
};
/// Of an image of that size. A side of the result may be 0.
ImageAxes image_axes(const ResizeImage &op, const ImageSize &image);

/// Half the width of a filter at stretch 1.
double filter_support(ImageFilter filter);
/// Its value at x. Bicubic has a = -1/2, as Pillow's.
double filter_value(ImageFilter filter, double x);
/// Weights of Pillow's fixed point: the sum of weight x byte is divided by 2^22.
inline constexpr int kWeightBits = 22;

} // namespace fovea
