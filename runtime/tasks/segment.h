// Segmenter: what each pixel of a picture belongs to, over a model file whose task is "segment". Owns an
// ImageSession. One thread at a time. Throws what ImageSession and class_map() throw.
#pragma once

#include "tasks/class_map.h"
#include "tasks/image_session.h"

namespace fovea {

class Segmenter {
public:
  static constexpr const char *kTask = "segment";
  Segmenter(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
            std::shared_ptr<const DeviceWeights> weights, bool timestamps = false);

  /// [height, width] class numbers, of the picture as it was given.
  std::vector<uint16_t> segment(const PixelView &pixels, const std::atomic<bool> *cancel = nullptr);
  /// One for each class.
  const std::vector<std::string> &labels() const { return session_.labels(); }
  MemoryUse memory() const { return session_.memory(); }

private:
  ImageSession session_;
};

} // namespace fovea
