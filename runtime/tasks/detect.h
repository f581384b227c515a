// Detector: the objects in a picture, over a model file whose task is "detect". Owns an ImageSession. One
// thread at a time. Throws what ImageSession and find_objects() throw.
#pragma once

#include "tasks/detection.h"
#include "tasks/image_session.h"

namespace fovea {

class Detector {
public:
  static constexpr const char *kTask = "detect";
  Detector(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
           std::shared_ptr<const DeviceWeights> weights, bool timestamps = false);

  /// In pixels of the picture as it was given; the most probable first.
  std::vector<Detection> detect(const PixelView &pixels, float threshold,
                                const std::atomic<bool> *cancel = nullptr);
  /// One for each class.
  const std::vector<std::string> &labels() const { return session_.labels(); }
  MemoryUse memory() const { return session_.memory(); }

private:
  ImageSession session_;
};

} // namespace fovea
