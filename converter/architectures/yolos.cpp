// YOLOS (Fang et al., "You Only Look at One Sequence", 2021) in Hugging Face folders: objects in images of
// any size. Detection tokens follow the patches; two heads of three layers read them.
#include "converter/architectures/architecture.h"

#include "converter/architectures/vision_encoder.h"
#include "converter/features/image_processor.h"
#include "converter/labels.h"
#include "ops/slice.h"
#include "ops/unary.h"

#include <filesystem>

namespace fovea {
namespace {

constexpr uint32_t kHeadLayers = 3;

Value head(BlockBuilder &b, Value x, const std::string &at) {
  for (uint32_t i = 0; i + 1 < kHeadLayers; ++i) x = b.linear("h", x, concat(at, ".", i), Activation::Relu);
  return x;
}

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const std::string prefix = find_prefix(source, {"vit.", ""}, "embeddings.cls_token");
  VisionEncoder e;
  read_vision_sizes(c, e);
  if (e.blocks.ffn == 0) fail(ErrorCode::InvalidFile, c.path(), ": 'intermediate_size' is missing");
  e.any_size = true;
  const uint32_t n_objects = c.find_u32("num_detection_tokens").value_or(100);
  if (n_objects == 0 || n_objects > 1 << 14)
    fail(ErrorCode::InvalidFile, c.path(), ": num_detection_tokens is ", n_objects);
  use_vit_names(e, prefix);
  e.before = {{prefix + "embeddings.cls_token", 1, 0}};
  e.after = {{prefix + "embeddings.detection_tokens", n_objects, int64_t(1 + e.grid_h() * e.grid_w())}};
  if (c.find_bool("use_mid_position_embeddings").value_or(true) && e.n_layers > 1)
    e.more_positions = prefix + "encoder.mid_position_embeddings";

  ModelPlan plan;
  plan.architecture = "yolos";
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.run.graphs", std::vector<std::string>{"forward"});
  add_preprocess(read_image_processor(source, ImageProcessorType::Yolos, e.image_h), plan);
  BlockBuilder b("forward", e.blocks);
  const Value x = add_vision_encoder(b, e, add_pixels(b.g, e), "attention");
  Slice slice;
  slice.x = x;
  slice.last = n_objects;
  const Value objects = b.norm(b.g.add("objects", slice), "ln");
  const bool detects = source.find("class_labels_classifier.layers.0.weight") != nullptr;
  const uint64_t d = e.blocks.width;
  add_vision_tensors(plan, source, e, encoding);
  if (detects) {
    const uint32_t n_classes = n_labels(c);
    plan.add("fovea.task", std::string("detect"));
    plan.add("fovea.detect.labels", read_labels(c, n_classes));
    b.g.output("logits", b.linear_op(head(b, objects, "class"), "class.2", true));
    b.g.output("boxes", b.linear_op(head(b, objects, "box"), "box.2", true, Activation::Sigmoid));
    BlockTensors tensors(source, plan, e.blocks);
    for (const auto &[to, from, n] : {std::tuple{"class", "class_labels_classifier", uint64_t(n_classes) + 1},
                                      {"box", "bbox_predictor", uint64_t(4)}})
      for (uint32_t i = 0; i < kHeadLayers; ++i)
        tensors.linear(concat(to, ".", i), concat(from, ".layers.", i), i + 1 < kHeadLayers ? d : n, d, true,
                       TensorClass::Delicate);
  } else {
    plan.add("fovea.task", std::string("embed"));
    b.g.output("hidden", b.norm_op(x, "ln"));
  }
  plan.graphs.emplace_back("forward", print_graph(b.g));
  plan.ignored = {prefix + "pooler.*"};
  return plan;
}

} // namespace

extern const Architecture kYolos;
const Architecture kYolos = {"yolos", {"yolos"}, build};

} // namespace fovea
