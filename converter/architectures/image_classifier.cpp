#include "converter/architectures/image_classifier.h"

#include "converter/labels.h"
#include "ops/linear.h"
#include "ops/pool_rows.h"

#include <filesystem>

namespace fovea {

void add_classifier_metadata(ModelPlan &plan, const Source &source, const Config &config,
                             uint32_t n_classes) {
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.run.graphs", std::vector<std::string>{"forward"});
  plan.add("fovea.task", std::string(n_classes ? "classify" : "embed"));
  if (n_classes == 0) return plan.add("fovea.image.output", std::string("pooled"));
  plan.add("fovea.classify.input", std::string("image"));
  plan.add("fovea.classify.labels", read_labels(config, n_classes));
  plan.add("fovea.classify.scores", read_scores(config, n_classes));
}

uint32_t classes_of(const Source &source, const std::string &name, uint64_t width) {
  const SourceTensor *tensor = source.find(name);
  if (!tensor) return 0;
  if (tensor->shape.rank() != 2 || tensor->shape[1] != width || tensor->shape[0] == 0 ||
      tensor->shape[0] > 1 << 20)
    fail(ErrorCode::InvalidFile, source.path(), ": ", name, " is ", tensor->shape, ", expected rows of ",
         width);
  return uint32_t(tensor->shape[0]);
}

void add_classifier_head(Graph &g, Value map, uint32_t n_classes) {
  if (n_classes == 0) {
    g.output("pooled", PoolRows{map, {}});
    return;
  }
  const Value pooled = g.add("pooled", PoolRows{map, {}});
  g.output("logits", Linear{pooled, g.weight("head.w"), g.weight("head.b"), {}, Activation::None});
}

void add_classifier_tensors(ModelPlan &plan, const std::string &from, uint32_t n_classes, uint64_t width) {
  if (n_classes == 0) return;
  plan.add_tensor("head.w", {n_classes, width}, TensorClass::Vocabulary, from + ".weight");
  plan.add_tensor("head.b", {n_classes}, TensorClass::Exact, from + ".bias");
}

} // namespace fovea
