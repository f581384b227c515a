#include "ops/image_axis.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea {
namespace {

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

// Around the middle; black outside where the crop is larger. Rounded as the reference's centre crop.
ImageAxis cropped(uint64_t from, uint64_t to, uint32_t crop) {
  if (crop == 0) return {from, to, 0, to};
  const int64_t room = int64_t(to) - int64_t(crop);
  return {from, to, room >= 0 ? room / 2 : -((1 - room) / 2), crop};
}

} // namespace

ImageAxes image_axes(const ResizeImage &op, const ImageSize &image) {
  const ImageSize to = op.resized(image);
  return {cropped(image.height, to.height, op.crop_height), cropped(image.width, to.width, op.crop_width)};
}

uint64_t ImageAxis::end() const {
  const int64_t last = int64_t(to) - first;
  return uint64_t(std::clamp<int64_t>(last, int64_t(begin()), int64_t(kept)));
}

ImageAxis::Centre ImageAxis::centre(uint64_t i) const {
  const uint64_t at = uint64_t(int64_t(i) + first);
  const uint64_t numerator = (2 * at + 1) * from;
  return {numerator / (2 * to), numerator % (2 * to)};
}

uint64_t ImageAxis::taps(double support) const {
  return std::min(from, uint64_t(std::ceil(support * stretch())) * 2 + 1);
}

ImageAxis::Range ImageAxis::touched(double support) const {
  const double reach = support * stretch() + 1;
  const auto low = double(centre(begin()).quotient) - reach,
             high = double(centre(end() - 1).quotient) + reach + 1;
  return {uint64_t(std::max(low, 0.0)), std::min(from, uint64_t(high) + 1)};
}

double filter_support(ImageFilter filter) {
  switch (filter) {
  case ImageFilter::Nearest:
  case ImageFilter::Box: return 0.5;
  case ImageFilter::Bilinear:
  case ImageFilter::Hamming: return 1;
  case ImageFilter::Bicubic: return 2;
  case ImageFilter::Lanczos: return 3;
  }
  return 0;
}

double filter_value(ImageFilter filter, double x) {
  if (filter == ImageFilter::Box) return x > -0.5 && x <= 0.5 ? 1 : 0;
  x = std::abs(x);
  if (x >= filter_support(filter)) return 0;
  switch (filter) {
  case ImageFilter::Hamming: return sinc(x) * (0.54 + 0.46 * std::cos(std::numbers::pi * x));
  case ImageFilter::Bicubic: return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
  case ImageFilter::Lanczos: return sinc(x) * sinc(x / 3);
  default: return 1 - x;
  }
}

} // namespace fovea
