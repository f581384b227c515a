// ViT (Dosovitskiy et al., 2021) and DeiT (Touvron et al., "Training data-efficient image transformers",
// 2021) in Hugging Face folders: classifiers, DeiT's with a distillation token and with or without its
// teacher's head, and models without a head.
#include "converter/architectures/architecture.h"

#include "converter/architectures/image_classifier.h"
#include "converter/architectures/vision_encoder.h"
#include "converter/features/image_processor.h"
#include "ops/pool_rows.h"
#include "ops/slice.h"

namespace fovea {
namespace {

struct Parts {
  VisionEncoder encoder;
  std::string prefix;
  uint32_t n_classes = 0;
  bool teacher = false, pooler = false;
};

Parts read(const Source &source, const Config &c, bool distilled) {
  Parts p;
  p.prefix = find_prefix(source, {distilled ? "deit." : "vit.", ""}, "embeddings.cls_token");
  p.encoder = read_vit_encoder(c, p.prefix, distilled);
  p.teacher = distilled && source.find("cls_classifier.weight");
  p.n_classes =
      classes_of(source, p.teacher ? "cls_classifier.weight" : "classifier.weight", p.encoder.blocks.width);
  p.pooler = source.find(p.prefix + "pooler.dense.weight") != nullptr;
  return p;
}

// The normalized row `i` of every image, [B, D].
Value normalized_row(BlockBuilder &b, Value x, uint32_t i) {
  Slice slice;
  slice.x = x;
  slice.begin = i;
  slice.count = 1;
  const Value row = i == 0 ? x : b.g.add("row", slice);
  return b.norm(b.g.add("row", PoolRows{row, {}, PoolFunction::First}), "ln");
}

void add_forward(const Parts &p, const Config &c, ModelPlan &plan) {
  BlockBuilder b("forward", p.encoder.blocks);
  const Value x = add_vision_encoder(b, p.encoder, add_pixels(b.g, p.encoder), "attention");
  const auto head = [&](Value row, const char *at, bool bias, Value residual = {}) {
    return b.linear_op(row, at, bias, Activation::None, residual);
  };
  if (p.n_classes && p.teacher) {
    // The mean of two heads: their tensors are halved.
    const Value student = b.g.add("student", head(normalized_row(b, x, 0), "head", true));
    b.g.output("logits", head(normalized_row(b, x, 1), "teacher", false, student));
  } else if (p.n_classes) {
    b.g.output("logits", head(normalized_row(b, x, 0), "head", true));
  } else {
    const Value hidden = b.g.output("hidden", b.norm_op(x, "ln"));
    const PoolRows first{hidden, {}, PoolFunction::First};
    const auto act = read_activation(c, std::string_view("pooler_act"), "tanh");
    if (p.pooler)
      b.g.output("pooled", b.linear_op(b.g.add("row", first), "pooler", true, act));
    else
      b.g.output("pooled", first);
  }
  plan.graphs.emplace_back("forward", print_graph(b.g));
}

void add_heads(const Parts &p, ModelPlan &plan) {
  const uint64_t d = p.encoder.blocks.width, n = p.n_classes;
  using Inputs = std::span<const std::vector<float>>;
  if (p.teacher) {
    const auto half = [](Inputs in) {
      std::vector<float> out = in[0];
      for (size_t i = 0; i < out.size(); ++i) out[i] = 0.5f * (out[i] + (in.size() > 1 ? in[1][i] : 0));
      return out;
    };
    plan.tensors.push_back(
        {"head.w", {n, d}, TensorClass::Vocabulary, {{"cls_classifier.weight", {n, d}}}, half});
    plan.tensors.push_back({"head.b",
                            {n},
                            TensorClass::Exact,
                            {{"cls_classifier.bias", {n}}, {"distillation_classifier.bias", {n}}},
                            half});
    plan.tensors.push_back(
        {"teacher.w", {n, d}, TensorClass::Vocabulary, {{"distillation_classifier.weight", {n, d}}}, half});
  } else if (n) {
    add_classifier_tensors(plan, "classifier", p.n_classes, d);
  } else if (p.pooler) {
    const std::string from = p.prefix + "pooler.dense";
    plan.add_tensor("pooler.w", {d, d}, TensorClass::Delicate, from + ".weight");
    plan.add_tensor("pooler.b", {d}, TensorClass::Exact, from + ".bias");
  }
}

ModelPlan build_with(const Source &source, Encoding encoding, bool distilled) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const Parts p = read(source, c, distilled);
  ModelPlan plan;
  plan.architecture = distilled ? "deit" : "vit";
  add_classifier_metadata(plan, source, c, p.n_classes);
  add_preprocess(read_image_processor(source, distilled ? ImageProcessorType::Deit : ImageProcessorType::Vit,
                                      p.encoder.image_h),
                 plan);
  add_forward(p, c, plan);
  add_vision_tensors(plan, source, p.encoder, encoding);
  add_heads(p, plan);
  plan.ignored = {"*mask_token"};
  if (p.n_classes) plan.ignored.push_back(p.prefix + "pooler.*");
  return plan;
}

ModelPlan build_vit(const Source &source, Encoding encoding) { return build_with(source, encoding, false); }
ModelPlan build_deit(const Source &source, Encoding encoding) { return build_with(source, encoding, true); }

} // namespace

extern const Architecture kVit;
const Architecture kVit = {"vit", {"vit"}, build_vit};
extern const Architecture kDeit;
const Architecture kDeit = {"deit", {"deit"}, build_deit};

} // namespace fovea
