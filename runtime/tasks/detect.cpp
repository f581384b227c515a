#include "tasks/detect.h"

namespace fovea {

Detector::Detector(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                   std::shared_ptr<const DeviceWeights> weights, bool timestamps)
    : session_(std::move(device), std::move(model), std::move(weights), kTask, timestamps) {}

std::vector<Detection> Detector::detect(const PixelView &pixels, float threshold,
                                        const std::atomic<bool> *cancel) {
  const NamedTensors outputs = session_.run(pixels, cancel);
  const Model &model = session_.model();
  const HostTensor &logits = ImageSession::output(model, outputs, "logits", 3);
  const HostTensor &boxes = ImageSession::output(model, outputs, "boxes", 3);
  const uint64_t n_classes = logits.type.shape.row();
  if (boxes.type.shape.row() != 4 || n_classes != labels().size() + 1)
    fail(ErrorCode::InvalidFile, model.path(), ": logits ", logits.type.shape, " and boxes ",
         boxes.type.shape, " for ", labels().size(), " labels");
  return find_objects(logits.f, boxes.f, n_classes, pixels.width, pixels.height, threshold);
}

} // namespace fovea
