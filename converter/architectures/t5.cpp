// T5 (Raffel et al., 2020), its version 1.1, FLAN-T5 (Chung et al., 2022) and mT5 (Xue et al., 2021): RMS
// norm before the sublayers, no positions but biases by distance, scores that are not scaled.
#include "converter/architectures/architecture.h"

#include "converter/architectures/encoder_decoder.h"

#include <cmath>

namespace fovea {
namespace {

constexpr AttentionNames kSelf = {"layer.0.layer_norm", "layer.0.SelfAttention.q", "layer.0.SelfAttention.k",
                                  "layer.0.SelfAttention.v", "layer.0.SelfAttention.o"};
constexpr AttentionNames kCross = {"layer.1.layer_norm", "layer.1.EncDecAttention.q",
                                   "layer.1.EncDecAttention.k", "layer.1.EncDecAttention.v",
                                   "layer.1.EncDecAttention.o"};

MlpNames mlp_names(bool decoder, bool gated) {
  if (decoder)
    return gated ? MlpNames{"layer.2.layer_norm", "layer.2.DenseReluDense.wi_1", "layer.2.DenseReluDense.wo",
                            "layer.2.DenseReluDense.wi_0"}
                 : MlpNames{"layer.2.layer_norm", "layer.2.DenseReluDense.wi", "layer.2.DenseReluDense.wo"};
  return gated ? MlpNames{"layer.1.layer_norm", "layer.1.DenseReluDense.wi_1", "layer.1.DenseReluDense.wo",
                          "layer.1.DenseReluDense.wi_0"}
               : MlpNames{"layer.1.layer_norm", "layer.1.DenseReluDense.wi", "layer.1.DenseReluDense.wo"};
}

// "relu", "gated-gelu" …
void read_mlp(const Config &c, BlockSpec &s) {
  const std::string kind = c.find_string("feed_forward_proj").value_or("relu");
  s.gated = kind.starts_with("gated-");
  // The published "gated-gelu" models were trained with the tanh form.
  const std::string name = kind == "gated-gelu" ? "gelu_new" : s.gated ? kind.substr(6) : kind;
  s.act = read_activation(Config(Json{{"feed_forward_proj", name}}, c.path()), "feed_forward_proj", "relu");
}

void read_tables(const Source &source, const Config &c, EncoderDecoder &m) {
  m.words = "shared";
  for (const char *name : {"shared", "encoder.embed_tokens", "decoder.embed_tokens"})
    if (source.find(concat(name, ".weight"))) {
      m.words = name;
      break;
    }
  m.decoder_words = m.words;
  // Version 1.1 has an output matrix of its own, and does not scale what goes into it.
  const bool tied = c.find_bool("tie_word_embeddings").value_or(true);
  const bool scaled = c.find_bool("scale_decoder_outputs").value_or(tied);
  m.logits = (!tied || !scaled) && source.find("lm_head.weight") ? "lm_head" : m.words;
  if (scaled) m.logits_scale = float(1 / std::sqrt(double(m.decoder.width)));
  m.ignored = {"shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
               "lm_head.weight", "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"};
}

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  if (!source.find("decoder.final_layer_norm.weight") && source.find("encoder.final_layer_norm.weight"))
    fail(ErrorCode::Unsupported, source.path(), ": an encoder without its decoder is not supported");
  EncoderDecoder m;
  m.architecture = model_type(source);
  BlockSpec s;
  s.width = c.get_u32("d_model");
  s.heads = c.get_u32("num_heads");
  s.head_size = c.get_u32("d_kv");
  s.ffn = c.get_u32("d_ff");
  s.pre_norm = s.rms_norm = true;
  s.bias = false;
  s.eps = float(c.find_number("layer_norm_epsilon").value_or(1e-6));
  s.scale = 1;
  read_mlp(c, s);
  m.encoder = m.decoder = s;
  m.encoder_layers = c.get_u32("num_layers");
  m.decoder_layers = c.find_u32("num_decoder_layers").value_or(m.encoder_layers);
  m.vocabulary = m.decoder_vocabulary = c.get_u32("vocab_size");
  m.cache = encoding == Encoding::F32 ? Encoding::F32 : Encoding::F16;
  read_tables(source, c, m);
  m.encoder_layer = "encoder.block.";
  m.decoder_layer = "decoder.block.";
  m.encoder_attention = m.self_attention = kSelf;
  m.cross_attention = kCross;
  m.encoder_mlp = mlp_names(false, s.gated);
  m.decoder_mlp = mlp_names(true, s.gated);
  m.encoder_norm = "encoder.final_layer_norm";
  m.decoder_norm = "decoder.final_layer_norm";
  m.encoder_bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias";
  m.decoder_bias = "decoder.block.0.layer.0.SelfAttention.relative_attention_bias";
  m.buckets = c.find_u32("relative_attention_num_buckets").value_or(32);
  m.max_distance = c.find_u32("relative_attention_max_distance").value_or(128);
  check_encoder_decoder(m, c);
  return plan_encoder_decoder(source, c, m);
}

} // namespace

extern const Architecture kT5;
const Architecture kT5 = {"t5", {"t5", "mt5"}, build};

} // namespace fovea
