#include "tasks/class_map.h"

#include "base/checked.h"

#include <algorithm>

namespace fovea {
namespace {

// Two neighbours and the second one's share, by position squares that share their borders.
struct Between {
  uint64_t first = 0, second = 0;
  float share = 0;
};

Between between(uint64_t i, float step, uint64_t size) {
  const float at = std::max((float(i) + 0.5f) * step - 0.5f, 0.0f);
  const uint64_t first = std::min(uint64_t(at), size - 1);
  return {first, std::min(first + 1, size - 1), std::clamp(at - float(first), 0.0f, 1.0f)};
}

} // namespace

std::vector<uint16_t> class_map(std::span<const float> logits, uint64_t n_classes, uint64_t rows,
                                uint64_t columns, uint32_t width, uint32_t height) {
  if (n_classes == 0 || n_classes > 65536 || rows == 0 || columns == 0 || width == 0 || height == 0 ||
      logits.size() != checked_mul(checked_mul(n_classes, rows, "classes"), columns, "logits"))
    fail(ErrorCode::InvalidArgument, logits.size(), " logits are not ", n_classes, " classes of ", rows,
         " x ", columns, " for an image of ", width, " x ", height);
  std::vector<uint16_t> out(size_t(width) * height);
  std::vector<float> line(columns * n_classes); // [column, class]
  const float step_y = float(rows) / float(height), step_x = float(columns) / float(width);
  for (uint32_t y = 0; y < height; ++y) {
    const Between v = between(y, step_y, rows);
    for (uint64_t n = 0; n < n_classes; ++n) {
      const float *above = &logits[(n * rows + v.first) * columns],
                  *below = &logits[(n * rows + v.second) * columns];
      for (uint64_t x = 0; x < columns; ++x)
        line[x * n_classes + n] = above[x] * (1 - v.share) + below[x] * v.share;
    }
    for (uint32_t x = 0; x < width; ++x) {
      const Between h = between(x, step_x, columns);
      const float *left = &line[h.first * n_classes], *right = &line[h.second * n_classes];
      const float a = 1 - h.share, b = h.share;
      float best = left[0] * a + right[0] * b;
      uint64_t label = 0;
      for (uint64_t n = 1; n < n_classes; ++n) {
        const float value = left[n] * a + right[n] * b;
        if (value > best) best = value, label = n;
      }
      out[size_t(y) * width + x] = uint16_t(label);
    }
  }
  return out;
}

} // namespace fovea
