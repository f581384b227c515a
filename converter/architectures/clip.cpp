// CLIP (Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021) in
// Hugging Face folders: an encoder of images and one of texts into one space.
//   vision   pixels → image [B, P], length one        text   tokens → text [B, P], length one
//   compare  image, text → logits_per_image
#include "converter/architectures/architecture.h"
#include "converter/architectures/vision_encoder.h"
#include "converter/features/image_processor.h"
#include "converter/tokenizers/tokenizer.h"
#include "ops/dot_rows.h"
#include "ops/embed.h"
#include "ops/l2_normalize.h"
#include "ops/pool_rows.h"
#include "ops/row_of_token.h"

#include <cmath>
#include <filesystem>

namespace fovea {
namespace {

constexpr uint32_t kLegacyEnd = 2; // older configurations say so, and mean the highest token

const AttentionNames kAttention = {"layer_norm1", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                   "self_attn.out_proj"};
const MlpNames kMlp = {"layer_norm2", "mlp.fc1", "mlp.fc2"};

// What a configuration leaves out has a default; older files repeat a part as `…_dict`, which wins.
Config part(const Config &c, const std::string &key, Json all) {
  for (const std::string &name : {key, key + "_dict"})
    if (const Json *found = c.find(name); found && found->is_object())
      for (const auto &[k, value] : found->items())
        if (!value.is_null()) all[k] = value;
  return {std::move(all), c.path()};
}

VisionEncoder read_vision(const Config &c) {
  VisionEncoder e;
  read_vision_sizes(c, e);
  e.at = "image.";
  e.patches = "vision_model.embeddings.patch_embedding";
  e.patch_bias = false;
  e.positions = "vision_model.embeddings.position_embedding.weight";
  e.before = {{"vision_model.embeddings.class_embedding", 1, 0}};
  e.layer = "vision_model.encoder.layers.";
  e.attention = kAttention;
  e.mlp = kMlp;
  e.first_norm = "vision_model.pre_layrnorm";
  e.last_norm = "vision_model.post_layernorm";
  return e;
}

struct TextPart {
  BlockSpec blocks;
  uint32_t n_layers = 0, vocabulary = 0, positions = 0, end = 0;
};

TextPart read_text(const Config &c) {
  TextPart t;
  const auto size = [&](const char *key, uint32_t most) {
    const uint32_t value = c.get_u32(key);
    if (value == 0 || value > most)
      fail(ErrorCode::InvalidFile, c.path(), ": text_config.", key, " is ", value, ", expected 1 to ", most);
    return value;
  };
  t.blocks.width = size("hidden_size", 1 << 14);
  t.blocks.ffn = size("intermediate_size", 1 << 16);
  t.blocks.heads = size("num_attention_heads", 1 << 10);
  if (t.blocks.width % t.blocks.heads)
    fail(ErrorCode::InvalidFile, c.path(), ": text_config.hidden_size is not a multiple of its heads");
  t.blocks.pre_norm = true;
  t.blocks.act = read_activation(c, std::string_view("hidden_act"), "quick_gelu");
  t.blocks.eps = float(c.find_number("layer_norm_eps").value_or(1e-5));
  t.n_layers = size("num_hidden_layers", 256);
  t.vocabulary = size("vocab_size", 1 << 24);
  t.positions = size("max_position_embeddings", 1 << 16);
  t.end = c.find_u32("eos_token_id").value_or(49407);
  return t;
}

Graph vision_graph(const VisionEncoder &e) {
  BlockBuilder b("vision", e.blocks);
  const Value x = add_vision_encoder(b, e, add_pixels(b.g, e), "attention");
  const Value row = b.norm(b.g.add("row", PoolRows{x, {}, PoolFunction::First}), e.at + "ln");
  b.g.output("image", L2Normalize{b.g.add("row", b.linear_op(row, e.at + "project", false))});
  return b.g;
}

Graph text_graph(const TextPart &t) {
  BlockBuilder b("text", t.blocks);
  const Value tokens = b.g.input("tokens", Encoding::I32, {"B", "T"});
  Embed embed;
  embed.tokens = tokens;
  embed.table = b.g.weight("text.tok.w");
  embed.positions = b.g.weight("text.pos");
  Value x = b.g.add("x", embed);
  for (uint32_t i = 0; i < t.n_layers; ++i) {
    const std::string at = concat("text.enc.", i);
    x = b.mlp(b.causal_attention(x, at, {{}, {}, concat("text_attention.", i)}), at);
  }
  // Tokens after the end are not seen: attention is causal.
  RowOfToken last{x, tokens, t.end, t.end == kLegacyEnd};
  const Value row = b.norm(b.g.add("row", last), "text.ln");
  b.g.output("text", L2Normalize{b.g.add("row", b.linear_op(row, "text.project", false))});
  return b.g;
}

Graph compare_graph(uint32_t width) {
  Graph g("compare");
  const Value image = g.input("image", Encoding::F32, {"N", width}),
              text = g.input("text", Encoding::F32, {"M", width});
  g.output("logits_per_image", DotRows{image, text, g.weight("logit_scale")});
  return g;
}

void add_tensors(const Source &source, const VisionEncoder &e, const TextPart &t, uint32_t width,
                 Encoding encoding, ModelPlan &plan) {
  add_vision_tensors(plan, source, e, encoding);
  plan.add_tensor("image.project.w", {width, e.blocks.width}, TensorClass::Delicate,
                  "visual_projection.weight");
  BlockTensors text(source, plan, t.blocks);
  plan.add_tensor("text.tok.w", {t.vocabulary, t.blocks.width}, TensorClass::Vocabulary,
                  "text_model.embeddings.token_embedding.weight");
  plan.add_tensor("text.pos", {t.positions, t.blocks.width}, TensorClass::Exact,
                  "text_model.embeddings.position_embedding.weight");
  for (uint32_t i = 0; i < t.n_layers; ++i) {
    const std::string to = concat("text.enc.", i), from = concat("text_model.encoder.layers.", i, ".");
    text.attention(to, from, kAttention);
    text.mlp(to, from, kMlp);
  }
  text.norm("text.ln", "text_model.final_layer_norm");
  plan.add_tensor("text.project.w", {width, t.blocks.width}, TensorClass::Delicate, "text_projection.weight");
  plan.tensors.push_back({"logit_scale", {1}, TensorClass::Exact, {{"logit_scale", {1}}}, [](auto inputs) {
                            return std::vector<float>{std::exp(inputs[0][0])};
                          }});
  plan.ignored = {"*.position_ids"};
}

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const Config vision = part(c, "vision_config",
                             {{"hidden_size", 768},
                              {"intermediate_size", 3072},
                              {"num_hidden_layers", 12},
                              {"num_attention_heads", 12},
                              {"image_size", 224},
                              {"patch_size", 32},
                              {"hidden_act", "quick_gelu"},
                              {"layer_norm_eps", 1e-5}});
  const Config text = part(c, "text_config",
                           {{"hidden_size", 512},
                            {"intermediate_size", 2048},
                            {"num_hidden_layers", 12},
                            {"num_attention_heads", 8},
                            {"vocab_size", 49408},
                            {"max_position_embeddings", 77}});
  const VisionEncoder e = read_vision(vision);
  const TextPart t = read_text(text);
  const uint32_t width = c.find_u32("projection_dim").value_or(512);
  if (width == 0 || width > 1 << 14) fail(ErrorCode::InvalidFile, c.path(), ": projection_dim is ", width);

  ModelPlan plan;
  plan.architecture = "clip";
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.task", std::string("classify"));
  plan.add("fovea.tasks", std::vector<std::string>{"classify", "embed"});
  plan.add("fovea.classify.input", std::string("image"));
  plan.add("fovea.classify.scores", std::string("softmax"));
  plan.add("fovea.classify.template", std::string("a photo of {}")); // around labels that the caller gives
  plan.add("fovea.image.graph", std::string("vision"));
  plan.add("fovea.image.output", std::string("image"));
  plan.add("fovea.text.graph", std::string("text"));
  plan.add("fovea.text.output", std::string("text"));
  plan.add("fovea.text.max_tokens", t.positions);
  plan.add("fovea.text.vocabulary", t.vocabulary);
  plan.add("fovea.text.pad", int32_t(text.find_u32("pad_token_id").value_or(1)));
  add_tokenizer(source, t.vocabulary,
                "neither `fovea classify --labels` nor `fovea embed` of texts will work", plan);
  // Not among the graphs that are run: its `image` is pixels, that of `vision` a vector.
  add_preprocess(read_image_processor(source, ImageProcessorType::Clip, e.image_h), plan);
  plan.add("fovea.run.graphs", std::vector<std::string>{"vision", "text", "compare"});
  for (const Graph &g : {vision_graph(e), text_graph(t), compare_graph(width)})
    plan.graphs.emplace_back(g.name(), print_graph(g));
  add_tensors(source, e, t, width, encoding, plan);
  return plan;
}

} // namespace

extern const Architecture kClip;
const Architecture kClip = {"clip", {"clip"}, build};

} // namespace fovea
