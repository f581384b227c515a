#include "tasks/detection.h"

#include "base/error.h"

#include <algorithm>
#include <cmath>

namespace fovea {

std::vector<Detection> find_objects(std::span<const float> logits, std::span<const float> boxes,
                                    uint64_t n_classes, uint32_t width, uint32_t height, float threshold) {
  if (!(threshold >= 0 && threshold <= 1))
    fail(ErrorCode::InvalidArgument, "the threshold is ", threshold, ", expected 0 to 1");
  if (n_classes < 2 || logits.size() % n_classes != 0 || logits.size() / n_classes * 4 != boxes.size())
    fail(ErrorCode::InvalidFile, "a detector with ", logits.size(), " logits of ", n_classes, " classes and ",
         boxes.size(), " numbers of boxes");
  std::vector<Detection> out;
  for (size_t q = 0; q < boxes.size() / 4; ++q) {
    const std::span<const float> row = logits.subspan(q * n_classes, n_classes);
    const auto best = std::max_element(row.begin(), row.end() - 1);
    const double peak = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const float v : row) sum += std::exp(double(v) - peak);
    const double score = std::exp(double(*best) - peak) / sum;
    if (!(score > double(threshold))) continue; // a NaN is no object
    const float *b = &boxes[q * 4];
    if (!std::all_of(b, b + 4, [](float v) { return std::isfinite(v); })) continue;
    const float w = float(width), h = float(height);
    out.push_back({uint32_t(best - row.begin()), float(score), (b[0] - 0.5f * b[2]) * w,
                   (b[1] - 0.5f * b[3]) * h, (b[0] + 0.5f * b[2]) * w, (b[1] + 0.5f * b[3]) * h});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Detection &a, const Detection &b) { return a.score > b.score; });
  return out;
}

} // namespace fovea
