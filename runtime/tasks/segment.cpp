#include "tasks/segment.h"

namespace fovea {

Segmenter::Segmenter(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                     std::shared_ptr<const DeviceWeights> weights, bool timestamps)
    : session_(std::move(device), std::move(model), std::move(weights), kTask, timestamps) {}

std::vector<uint16_t> Segmenter::segment(const PixelView &pixels, const std::atomic<bool> *cancel) {
  const NamedTensors outputs = session_.run(pixels, cancel);
  const HostTensor &logits = ImageSession::output(session_.model(), outputs, "logits", 4);
  const Shape &shape = logits.type.shape;
  if (shape[1] != labels().size() || shape[1] > 65536)
    fail(ErrorCode::InvalidFile, session_.model().path(), ": logits ", shape, " for ", labels().size(),
         " labels");
  return class_map(logits.f, shape[1], shape[2], shape[3], pixels.width, pixels.height);
}

} // namespace fovea
