// Objects from a detector's outputs: of each query the best class that is not the last (which stands for
// none), and the box where it is probable enough. As the reference processors have it
// (post_process_object_detection), but the most probable first. Pure; thread-safe. Throws InvalidArgument,
// InvalidFile when logits and boxes do not fit each other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fovea {

struct Detection {
  uint32_t label = 0;                             // class number
  float score = 0;                                // probability
  float left = 0, top = 0, right = 0, bottom = 0; // pixels of the image; may reach a little outside
};

/// logits: [Q, n_classes], the last class none; boxes: [Q, 4], centre and size (x, y, w, h) as parts of the
/// image. Those with a score above `threshold` (0 … 1).
std::vector<Detection> find_objects(std::span<const float> logits, std::span<const float> boxes,
                                    uint64_t n_classes, uint32_t width, uint32_t height, float threshold);

} // namespace fovea
