// An image at another size, then its middle: what comes before a vision model, equal to Pillow's
// Image.resize and a centred crop with black where the image is smaller (to which the reference processors
// add nothing).
//
// With antialias, as Pillow 13: the filter is stretched when shrinking, each axis is a pass (columns first,
// unless rows lose more than twice as much), rounded to bytes with weights of 22 bits. Without, as torch's
// interpolate of the bytes as floats: the pixels around the point alone, one rounding (for bytes on a CPU,
// torch also cuts off between the axes what bicubic puts outside 0 … 255). Only what the crop keeps is
// computed, so that the full width of an extreme image never exists.
#pragma once

#include "graph/op.h"

namespace fovea {

enum class ImageFilter : uint32_t { Bilinear, Nearest, Box, Hamming, Bicubic, Lanczos };
inline constexpr const char *kImageFilterNames[] = {"bilinear", "nearest", "box",
                                                    "hamming",  "bicubic", "lanczos"};

struct ImageSize {
  uint64_t height = 0, width = 0;
  friend bool operator==(const ImageSize &, const ImageSize &) = default;
};

struct ResizeImage {
  static constexpr const char *kName = "resize_image";
  Value image; // [H, W] i32: a pixel is red, green, blue, alpha from the lowest byte up; alpha is ignored
  // The size: height and width; or the shorter side (the longer at most `longest`); or the largest that fits
  // max_height and max_width; or none of them: as it is. Rounding as in the reference processors.
  uint32_t height = 0, width = 0, shortest = 0, longest = 0, max_height = 0, max_width = 0;
  uint32_t multiple = 1; // both sides are lowered to a multiple of it
  ImageFilter filter = ImageFilter::Bilinear;
  bool antialias = true;
  uint32_t crop_height = 0, crop_width = 0; // of the result; 0: not cropped

  void fields(FieldVisitor &v) {
    v.operand("image", image);
    v.field("height", height, 0u);
    v.field("width", width, 0u);
    v.field("shortest", shortest, 0u);
    v.field("longest", longest, 0u);
    v.field("max_height", max_height, 0u);
    v.field("max_width", max_width, 0u);
    v.field("multiple", multiple, 1u);
    v.field("filter", filter, kImageFilterNames);
    v.field("antialias", antialias, true);
    v.field("crop_height", crop_height, 0u);
    v.field("crop_width", crop_width, 0u);
  }
  TensorType infer(const Types &t) const; // [h, w, 3] f32: red, green, blue, each a byte's value 0 … 255
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;

  /// The size before the crop of an image of size `from`. A side may come out as 0.
  ImageSize resized(const ImageSize &from) const;
};

} // namespace fovea
