#include "tasks/embed.h"

#include <algorithm>

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

bool Embedder::accepts(const Model &model) {
  const auto all = model.file().find_strings("fovea.tasks").value_or(std::vector<std::string_view>());
  return model.file().find_string("fovea.task") == kTask ||
         std::find(all.begin(), all.end(), kTask) != all.end();
}

Embedder::Embedder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                   std::shared_ptr<const DeviceWeights> weights, bool timestamps)
    : prefix_(require_task(*model).file().find_string("fovea.text.prefix").value_or("")),
      session_(std::move(device), std::move(model), std::move(weights), "embedding", timestamps) {}

} // namespace fovea
