// Vectors of pictures: which models give them, and the ImageEncoder that does. Functions. Errors: those of
// ImageEncoder.
#pragma once

#include "tasks/image_encoder.h"

namespace fovea {

/// A file for the task `embed` that names an output of pictures (metadata fovea.image.output).
bool embeds_images(const Model &model);
ImageEncoder image_embedder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                            std::shared_ptr<const DeviceWeights> weights, bool timestamps = false);

} // namespace fovea
