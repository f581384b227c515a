// GPT-2 (Radford et al., 2019): learned positions, LayerNorm, matrices stored with inputs outermost, q, k and
// v in one.
#include "converter/architectures/activation.h"
#include "converter/architectures/architecture.h"
#include "converter/architectures/causal_decoder.h"
#include "converter/architectures/generation.h"
#include "converter/architectures/transformer_blocks.h"

#include <cmath>

namespace fovea {
namespace {

/// A number under its own name or under the general one.
uint32_t size(const Config &c, const char *key, const char *general, uint32_t fallback) {
  return c.find_u32(key).value_or(c.find_u32(general).value_or(fallback));
}

CausalDecoder read(const Config &c, Encoding encoding) {
  CausalDecoder d;
  d.architecture = "gpt2";
  d.vocabulary = c.find_u32("vocab_size").value_or(50257);
  d.context = size(c, "n_positions", "max_position_embeddings", 1024);
  d.width = size(c, "n_embd", "hidden_size", 768);
  d.heads = d.kv_heads = size(c, "n_head", "num_attention_heads", 12);
  if (d.heads == 0 || d.width % d.heads != 0)
    fail(ErrorCode::InvalidFile, c.path(), ": n_embd ", d.width, " is no multiple of ", d.heads, " heads");
  d.head_size = d.width / d.heads;
  d.ffn = c.find_u32("n_inner").value_or(4 * d.width);
  const uint32_t n_layers = size(c, "n_layer", "num_hidden_layers", 12);
  if (n_layers == 0 || n_layers > 1024)
    fail(ErrorCode::InvalidFile, c.path(), ": n_layer is ", n_layers, ", expected 1 to 1024");
  d.layers.resize(n_layers);
  d.rms_norm = d.gated = false;
  d.qkv_bias = d.o_bias = d.mlp_bias = d.position_table = true;
  d.eps = float(c.find_number("layer_norm_epsilon").value_or(1e-5));
  d.act = read_activation(c, "activation_function", "gelu_new");
  d.tied = c.find_bool("tie_word_embeddings").value_or(true);
  d.cache = cache_encoding(encoding);
  if (c.find_bool("add_cross_attention").value_or(false))
    fail(ErrorCode::Unsupported, c.path(),
         ": add_cross_attention is true: a decoder alone has nothing to attend to");
  const bool scaled = c.find_bool("scale_attn_weights").value_or(true),
             by_layer = c.find_bool("scale_attn_by_inverse_layer_idx").value_or(false);
  for (uint32_t i = 0; i < n_layers; ++i)
    d.layers[i].scale =
        float((scaled ? 1 / std::sqrt(double(d.head_size)) : 1.0) / (by_layer ? double(i) + 1 : 1.0));
  return d;
}

class Tensors {
public:
  Tensors(const CausalDecoder &d, const Source &source, ModelPlan &plan) : d_(d), plan_(plan) {
    if (source.find("transformer.wte.weight")) prefix_ = "transformer.";
  }

  void add() {
    plan_.add_tensor("tok.w", {d_.vocabulary, d_.width}, TensorClass::Vocabulary, prefix_ + "wte.weight");
    plan_.add_tensor("pos.w", {d_.context, d_.width}, TensorClass::Exact, prefix_ + "wpe.weight");
    for (size_t i = 0; i < d_.layers.size(); ++i) layer(concat("dec.", i), concat(prefix_, "h.", i, "."));
    norm("ln", prefix_ + "ln_f");
    if (d_.tied)
      plan_.ignored.push_back("lm_head.weight");
    else
      plan_.add_tensor("head.w", {d_.vocabulary, d_.width}, TensorClass::Vocabulary, "lm_head.weight");
    // The causal mask of older files.
    plan_.ignored.push_back(prefix_ + "h.*.attn.bias");
    plan_.ignored.push_back(prefix_ + "h.*.attn.masked_bias");
  }

private:
  void layer(const std::string &to, const std::string &from) {
    const uint64_t d = d_.width;
    const TensorClass usual = matrix_class(d);
    norm(to + ".ln", from + "ln_1");
    part(to + ".q", from + "attn.c_attn", d, d, usual, 0, 3 * d);
    part(to + ".k", from + "attn.c_attn", d, d, usual, d, 3 * d);
    part(to + ".v", from + "attn.c_attn", d, d, TensorClass::Delicate, 2 * d, 3 * d);
    part(to + ".o", from + "attn.c_proj", d, d, usual, 0, d);
    norm(to + ".ln_mlp", from + "ln_2");
    part(to + ".fc1", from + "mlp.c_fc", d_.ffn, d, usual, 0, d_.ffn);
    part(to + ".fc2", from + "mlp.c_proj", d, d_.ffn, TensorClass::Delicate, 0, d);
  }
  void norm(const std::string &to, const std::string &from) {
    plan_.add_tensor(to + ".g", {d_.width}, TensorClass::Exact, from + ".weight");
    plan_.add_tensor(to + ".b", {d_.width}, TensorClass::Exact, from + ".bias");
  }
  void part(const std::string &to, const std::string &from, uint64_t n, uint64_t k, TensorClass tensor_class,
            uint64_t first, uint64_t all) {
    add_columns(plan_, to, from, n, k, tensor_class, first, all);
  }

  const CausalDecoder &d_;
  ModelPlan &plan_;
  std::string prefix_;
};

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const CausalDecoder d = read(c, encoding);
  check_decoder(d, c);
  ModelPlan plan = start_decoder_plan(d, source);
  Tensors(d, source, plan).add();
  add_generation(d, source, c, plan);
  return plan;
}

} // namespace

extern const Architecture kGpt2;
const Architecture kGpt2 = {"gpt2", {"gpt2"}, build};

} // namespace fovea
