#include "converter/architectures/fairseq_names.h"

#include <cmath>

namespace fovea {
namespace {

constexpr AttentionNames kSelf = {"self_attn_layer_norm", "self_attn.q_proj", "self_attn.k_proj",
                                  "self_attn.v_proj", "self_attn.out_proj"};
constexpr AttentionNames kCross = {"encoder_attn_layer_norm", "encoder_attn.q_proj", "encoder_attn.k_proj",
                                   "encoder_attn.v_proj", "encoder_attn.out_proj"};
constexpr MlpNames kMlp = {"final_layer_norm", "fc1", "fc2"};

void check_head(const Config &c) {
  const Json *list = c.find("architectures");
  if (!list || !list->is_array() || list->empty() || !(*list)[0].is_string()) return;
  const std::string name = (*list)[0].get<std::string>();
  if (!name.ends_with("ForConditionalGeneration") && !name.ends_with("MTModel") && !name.ends_with("Model"))
    fail(ErrorCode::Unsupported, c.path(), ": architectures '", printable(name),
         "' is not supported (…ForConditionalGeneration is)");
}

// The first of the names that the source has: which of tied tensors a file holds differs.
std::string first_found(const Source &source, std::initializer_list<std::string> names) {
  for (const std::string &name : names)
    if (source.find(name + ".weight")) return name;
  return *names.begin();
}

void read_tables(const Source &source, const Config &c, FairseqModel &m) {
  const std::string shared = m.base + "shared", encoder = m.base + "encoder.embed_tokens",
                    decoder = m.base + "decoder.embed_tokens", head = "lm_head";
  m.vocabulary = c.get_u32("vocab_size");
  if (c.find_bool("share_encoder_decoder_embeddings").value_or(true)) {
    m.decoder_vocabulary = m.vocabulary;
    m.words = m.decoder_words = first_found(source, {shared, encoder, decoder, head});
  } else {
    m.decoder_vocabulary = c.find_u32("decoder_vocab_size").value_or(m.vocabulary);
    m.words = encoder;
    m.decoder_words = first_found(source, {decoder, head});
  }
  const bool tied = c.find_bool("tie_word_embeddings").value_or(true);
  m.logits = !tied && source.find(head + ".weight") ? head : m.decoder_words;
  if (source.find("final_logits_bias")) m.logits_bias = "final_logits_bias";
  m.ignored = {shared + ".weight", encoder + ".weight", decoder + ".weight", head + ".weight",
               "*embed_positions.weight"};
}

} // namespace

FairseqModel read_fairseq_model(const Source &source, const Config &c, Encoding encoding) {
  check_head(c);
  FairseqModel m;
  m.architecture = c.get_string("model_type");
  m.base = find_prefix(source, {"model.", ""}, "encoder.layers.0.fc1.weight");
  BlockSpec s;
  s.width = c.get_u32("d_model");
  s.act = read_activation(c, "activation_function", "gelu");
  m.encoder = m.decoder = s;
  m.encoder.heads = c.get_u32("encoder_attention_heads");
  m.encoder.ffn = c.get_u32("encoder_ffn_dim");
  m.decoder.heads = c.get_u32("decoder_attention_heads");
  m.decoder.ffn = c.get_u32("decoder_ffn_dim");
  m.encoder_layers = c.get_u32("encoder_layers");
  m.decoder_layers = c.get_u32("decoder_layers");
  m.positions = c.get_u32("max_position_embeddings");
  if (m.positions == 0) fail(ErrorCode::InvalidFile, c.path(), ": max_position_embeddings is 0");
  m.cache = encoding == Encoding::F32 ? Encoding::F32 : Encoding::F16;
  if (c.find_bool("scale_embedding").value_or(false)) m.embedding_scale = float(std::sqrt(double(s.width)));
  read_tables(source, c, m);
  m.encoder_layer = m.base + "encoder.layers.";
  m.decoder_layer = m.base + "decoder.layers.";
  m.encoder_attention = m.self_attention = kSelf;
  m.cross_attention = kCross;
  m.encoder_mlp = m.decoder_mlp = kMlp;
  return m;
}

} // namespace fovea
