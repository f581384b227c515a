// Gemma 3 (Gemma Team, 2025), its text model: alone ("gemma3_text"), or the text part of the model that also
// sees
// ("gemma3"), whose other tensors are left out.
#include "converter/architectures/architecture.h"
#include "converter/architectures/llama_family.h"
#include "converter/architectures/rope_tables.h"

#include "base/half.h"

#include <bit>
#include <cmath>

namespace fovea {
namespace {

/// The text model's own configuration.
Config text_config(const Source &source) {
  const std::string path = source.text_path("config.json");
  const Config whole = Config::parse(source.text("config.json").value_or("{}"), path);
  const Json *text = whole.find("text_config");
  if (!text || !text->is_object()) return whole;
  Json merged = *text;
  for (const char *key : {"dtype", "torch_dtype", "eos_token_id", "bos_token_id", "tie_word_embeddings"})
    if (const Json *outer = whole.find(key); outer && !merged.contains(key)) merged[key] = *outer;
  return {merged, path};
}

/// What embeddings are multiplied with, in the precision that the model was trained in.
float embedding_scale(const Config &c, uint32_t width) {
  const float scale = std::sqrt(float(width));
  const std::string type = c.find_string("dtype").value_or(c.find_string("torch_dtype").value_or("float32"));
  if (type == "bfloat16")
    return bfloat16_to_float(uint16_t((std::bit_cast<uint32_t>(scale) + 0x8000u) >> 16));
  return type == "float16" ? half_to_float(float_to_half(scale)) : scale;
}

RopeTable read_gemma_rope(const Config &c, CausalDecoder &d, bool sliding) {
  Json parameters = Json::object();
  if (const Json *all = c.find("rope_parameters"); all && all->is_object())
    if (const auto found = all->find(sliding ? "sliding_attention" : "full_attention");
        found != all->end() && found->is_object())
      parameters = *found;
  if (const Json *scaling = c.find("rope_scaling"); scaling && scaling->is_object() && !sliding)
    parameters.update(*scaling);
  const char *theta = sliding ? "rope_local_base_freq" : "rope_theta";
  if (const Json *base = c.find(theta); base && !parameters.contains("rope_theta"))
    parameters["rope_theta"] = *base;
  return make_rope(Config(parameters, c.path()),
                   {.head_size = d.head_size, .positions = d.context, .theta = sliding ? 1e4 : 1e6},
                   d.context);
}

CausalDecoder read(const Config &c) {
  LlamaDefaults defaults{.architecture = "gemma3"};
  defaults.vocabulary = 262208;
  defaults.width = 2304;
  defaults.ffn = 9216;
  defaults.layers = 26;
  defaults.heads = 8;
  defaults.kv_heads = 4;
  defaults.head_size = 256;
  defaults.positions = 131072;
  defaults.tied = true;
  defaults.activation_key = "hidden_activation";
  defaults.activation = "gelu_pytorch_tanh";
  CausalDecoder d = read_llama_sizes(c, defaults);
  d.qkv_bias = d.o_bias = c.find_bool("attention_bias").value_or(false);
  d.head_norm = d.norm_after = true;
  d.embedding_scale = embedding_scale(c, d.width);
  d.logit_cap = float(c.find_number("final_logit_softcapping").value_or(0));
  if (!(d.logit_cap >= 0 && std::isfinite(d.logit_cap)))
    fail(ErrorCode::InvalidFile, c.path(), ": final_logit_softcapping is ", d.logit_cap);
  if (c.has("attn_logit_softcapping"))
    fail(ErrorCode::Unsupported, c.path(), ": attn_logit_softcapping ",
         c.get_number("attn_logit_softcapping"), "; no published model of this architecture sets it");
  if (c.find_bool("use_bidirectional_attention").value_or(false))
    fail(ErrorCode::Unsupported, c.path(),
         ": use_bidirectional_attention is true: the model generates no text");

  const double scalar = c.find_number("query_pre_attn_scalar").value_or(256);
  if (!(scalar > 0)) fail(ErrorCode::InvalidFile, c.path(), ": query_pre_attn_scalar is ", scalar);
  std::vector<std::string> types = read_layer_types(c, d.layers.size());
  const uint32_t pattern =
      c.find_u32("sliding_window_pattern").value_or(c.find_u32("_sliding_window_pattern").value_or(6));
  if (types.empty())
    for (size_t i = 0; i < d.layers.size(); ++i)
      types.push_back(pattern != 0 && (i + 1) % pattern == 0 ? "full_attention" : "sliding_attention");
  set_windows(d, c, types, c.is_null("sliding_window") ? 0 : c.find_u32("sliding_window").value_or(4096));
  d.ropes = {read_gemma_rope(c, d, false), read_gemma_rope(c, d, true)};
  for (size_t i = 0; i < d.layers.size(); ++i) {
    d.layers[i].rope = types[i] == "sliding_attention";
    d.layers[i].scale = float(1 / std::sqrt(scalar));
  }
  return d;
}

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = text_config(source);
  CausalDecoder d = read(c);
  LlamaNames names;
  names.prefixes = {"model.", "language_model.model.", "model.language_model.", ""};
  names.heads = {"lm_head.weight", "language_model.lm_head.weight"};
  names.ln_after = "post_attention_layernorm";
  names.ln_mlp = "pre_feedforward_layernorm";
  names.ln_mlp_after = "post_feedforward_layernorm";
  names.norms_from_zero = true;
  names.ignored = {"vision_tower.*", "multi_modal_projector.*", "model.vision_tower.*",
                   "model.multi_modal_projector.*"};
  return plan_llama(d, source, c, names, encoding);
}

} // namespace

extern const Architecture kGemma3;
const Architecture kGemma3 = {"gemma3", {"gemma3_text", "gemma3"}, build};

} // namespace fovea
