// Text-to-text transformers (Vaswani et al., 2017): one description, the graphs `encode`, `decoder`, `step`
// and `reorder` (docs/graph.md). Architectures differ in norms, positions, biases and names. Pure;
// thread-safe.
#pragma once

#include "converter/architectures/transformer_blocks.h"

namespace fovea {

struct EncoderDecoder {
  std::string architecture;
  BlockSpec encoder, decoder; // of one width
  uint32_t encoder_layers = 0, decoder_layers = 0;
  uint32_t vocabulary = 0, decoder_vocabulary = 0;
  Encoding cache = Encoding::F16; // of keys and values kept in states
  float embedding_scale = 1;
  uint64_t cross_width = 0; // of the rows that the decoder attends to; 0: the decoder's
  float logits_scale = 1;   // of the decoder's rows before the logits; with a final norm only

  // Names in the source, without ".weight".
  std::string words, decoder_words, logits; // token tables and the output matrix; equal names are one tensor
  std::string logits_bias;                  // [1, V], the whole name; empty: none
  std::string encoder_layer, decoder_layer; // before a layer's number
  AttentionNames encoder_attention{}, self_attention{}, cross_attention{};
  MlpNames encoder_mlp{}, decoder_mlp{};
  std::string encoder_norm, decoder_norm;                     // after the last layer; empty: none
  std::string encoder_embedding_norm, decoder_embedding_norm; // of embeddings; empty: none

  /// Absolute positions, if any: of tables in the source, from row `first_position` on, or sinusoids.
  uint32_t positions = 0; // 0: none, texts of any length
  uint32_t first_position = 0;
  std::string encoder_places, decoder_places; // empty: sinusoids

  /// Biases by distance (Raffel et al., 2020): tables [buckets, H], empty: none.
  std::string encoder_bias, decoder_bias;
  uint32_t buckets = 0, max_distance = 0;

  std::vector<std::string> ignored;
};

/// Error InvalidFile, Unsupported.
void check_encoder_decoder(const EncoderDecoder &model, const Config &config);
ModelPlan plan_encoder_decoder(const Source &source, const Config &config, const EncoderDecoder &model);

/// The bucket of a distance key - query, as in the published code.
uint32_t distance_bucket(int32_t distance, bool both_ways, uint32_t n_buckets, uint32_t max_distance);

/// The four graphs.
std::vector<Graph> encoder_decoder_graphs(const EncoderDecoder &model);
/// `decoder`, `step` and `reorder`: for encoders of another kind, which fill cross_keys().
std::vector<Graph> decoder_graphs(const EncoderDecoder &model);
/// The decoder's tensors.
void add_decoder_tensors(const Source &source, const EncoderDecoder &model, ModelPlan &plan);
/// The state [G, S, H K] of layer i: "ck" or "cv".
Value cross_keys(Graph &g, const EncoderDecoder &model, const char *name, uint32_t i);

} // namespace fovea
