#include "tasks/embed.h"

#include "tasks/file_tasks.h"

namespace fovea {
namespace {

constexpr const char *kTask = "embed";

const Model &require_task(const Model &model) {
  if (!Embedder::accepts(model))
    fail(ErrorCode::Unsupported, model.path(), ": not a model of text embeddings (its task is '",
         model.file().find_string("fovea.task").value_or(""), "', expected '", kTask, "')");
  return model;
}

} // namespace

std::string text_output(const Model &model) {
  return std::string(model.file().find_string("fovea.text.output").value_or("embedding"));
}

bool Embedder::accepts(const Model &model) {
  return has_task(model, kTask) && model.file().find_u32("fovea.text.max_tokens").has_value();
}

Embedder::Embedder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                   std::shared_ptr<const DeviceWeights> weights, bool timestamps)
    : prefix_(require_task(*model).file().find_string("fovea.text.prefix").value_or("")),
      session_(std::move(device), model, std::move(weights), text_output(*model), timestamps) {}

} // namespace fovea
