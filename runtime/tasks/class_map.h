// The class of each pixel from a segmenter's logits, which are coarser than the image: interpolated linearly
// to its size, then the largest, as the reference processors do (post_process_semantic_segmentation). Pure;
// thread-safe. Throws InvalidArgument.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fovea {

/// logits: [N, rows, columns], N at most 65,536 → [height, width] class numbers. Memory: that and one row of
/// logits.
std::vector<uint16_t> class_map(std::span<const float> logits, uint64_t n_classes, uint64_t rows,
                                uint64_t columns, uint32_t width, uint32_t height);

} // namespace fovea
