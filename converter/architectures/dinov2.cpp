// DINOv2 (Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", 2023), with or without
// registers (Darcet et al., "Vision Transformers Need Registers", 2023), in Hugging Face folders: features
// and classifiers. Images of any size, positions interpolated; with registers, of the size of the file's
// image processor, since the reference then interpolates with antialias, which the converter does once.
#include "converter/architectures/architecture.h"

#include "converter/architectures/image_classifier.h"
#include "converter/architectures/vision_encoder.h"
#include "converter/features/image_processor.h"
#include "ops/concat.h"
#include "ops/pool_rows.h"
#include "ops/slice.h"

namespace fovea {
namespace {

VisionEncoder read(const Source &source, const Config &c, std::string &prefix, uint32_t n_registers) {
  prefix = find_prefix(source, {"dinov2.", "dinov2_with_registers.", ""}, "embeddings.cls_token");
  VisionEncoder e;
  read_vision_sizes(c, e);
  e.any_size = n_registers == 0;
  e.blocks.eps = float(c.find_number("layer_norm_eps").value_or(1e-6));
  const double ratio = c.find_number("mlp_ratio").value_or(4);
  if (!(ratio > 0.01 && ratio < 64)) fail(ErrorCode::InvalidFile, c.path(), ": 'mlp_ratio' is ", ratio);
  e.blocks.ffn = uint64_t(double(e.blocks.width) * ratio);
  e.blocks.gated = c.find_bool("use_swiglu_ffn").value_or(false);
  if (e.blocks.gated) {
    e.blocks.ffn = (uint64_t(double(e.blocks.ffn) * 2 / 3) + 7) / 8 * 8;
    e.blocks.act = Activation::Silu;
  }
  if (e.image_h / e.patch_h != e.image_w / e.patch_w)
    fail(ErrorCode::Unsupported, c.path(), ": image_size is not square, which its position table must be");
  use_vit_names(e, prefix);
  e.attention.norm = "norm1";
  e.mlp = e.blocks.gated ? MlpNames{"norm2", "mlp.weights_in", "mlp.weights_out"}
                         : MlpNames{"norm2", "mlp.fc1", "mlp.fc2"};
  e.attention_scale = "layer_scale1.lambda1";
  e.mlp_scale = "layer_scale2.lambda1";
  e.before = {{prefix + "embeddings.cls_token", 1, 0}};
  if (n_registers) e.before.push_back({prefix + "embeddings.register_tokens", n_registers, -1});
  return e;
}

void add_forward(const VisionEncoder &e, uint32_t n_classes, ModelPlan &plan) {
  BlockBuilder b("forward", e.blocks);
  const Value x = add_vision_encoder(b, e, add_pixels(b.g, e), "attention");
  const Value hidden = b.g.output("hidden", b.norm_op(x, "ln"));
  const Value pooled = b.g.output("pooled", PoolRows{hidden, {}, PoolFunction::First});
  if (n_classes) {
    Slice slice;
    slice.x = hidden;
    slice.begin = uint32_t(e.rows_before());
    const Value mean = b.g.add("mean", PoolRows{b.g.add("patches", slice), {}, PoolFunction::Mean});
    const Value both = b.g.add("both", Concat{pooled, mean, {}, Axis::Channels});
    b.g.output("logits", b.linear_op(both, "head", true));
  }
  plan.graphs.emplace_back("forward", print_graph(b.g));
}

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const bool registers = model_type(source) == "dinov2_with_registers";
  const uint32_t n_registers = registers ? c.find_u32("num_register_tokens").value_or(4) : 0;
  if (n_registers > 1024) fail(ErrorCode::InvalidFile, c.path(), ": num_register_tokens is ", n_registers);
  std::string prefix;
  const VisionEncoder e = read(source, c, prefix, n_registers);
  const uint32_t n_classes = classes_of(source, "classifier.weight", 2 * e.blocks.width);
  ModelPlan plan;
  plan.architecture = model_type(source);
  add_classifier_metadata(plan, source, c, n_classes);
  add_preprocess(read_image_processor(source, ImageProcessorType::Bit, e.image_h), plan);
  add_forward(e, n_classes, plan);
  add_vision_tensors(plan, source, e, encoding);
  add_classifier_tensors(plan, "classifier", n_classes, 2 * e.blocks.width);
  plan.ignored = {"*mask_token"};
  return plan;
}

} // namespace

extern const Architecture kDinov2;
const Architecture kDinov2 = {"dinov2", {"dinov2", "dinov2_with_registers"}, build};

} // namespace fovea
