#include "tasks/embed_image.h"

#include "tasks/file_tasks.h"

namespace fovea {
namespace {

constexpr const char *kTask = "embed", *kGraph = "fovea.image.graph", *kOutput = "fovea.image.output";

} // namespace

bool embeds_images(const Model &model) {
  return has_task(model, kTask) && model.file().find_string(kOutput).has_value();
}

ImageEncoder image_embedder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                            std::shared_ptr<const DeviceWeights> weights, bool timestamps) {
  const ModelFile &file = model->file();
  std::string graph(file.find_string(kGraph).value_or("forward")), output(file.get_string(kOutput));
  return ImageEncoder(std::move(device), model, std::move(weights), std::move(graph), std::move(output),
                      timestamps);
}

} // namespace fovea
