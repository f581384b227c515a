// Pictures as callers give them. Errors InvalidArgument.
#pragma once

#include "api/guard.h"
#include "image/image.h"

#include <fovea/pixels.h>

namespace fovea::api {

inline PixelView view_of(const fovea_pixels &p) {
  return {p.data, p.width, p.height, p.channels, p.row_bytes};
}

inline std::vector<PixelView> read_pictures(const fovea_pixels *pictures, size_t n) {
  if (n) require(pictures, "pictures");
  std::vector<PixelView> out;
  for (size_t i = 0; i < n; ++i) out.push_back(view_of(pictures[i]));
  return out;
}

} // namespace fovea::api
