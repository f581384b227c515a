// Bidirectional text encoders (Devlin et al., 2019) and their heads: one description, one graph `forward`
// (docs/graph.md). Architectures differ in names, in the embedding and in the head alone. Pure; thread-safe.
#pragma once

#include "converter/architectures/transformer_blocks.h"

namespace fovea {

struct TextEncoder {
  std::string architecture;
  BlockSpec blocks;
  uint32_t vocabulary = 0, positions = 0;
  uint32_t types = 0;           // kinds of tokens; 0: not told apart
  uint32_t first_position = 0;  // rows of the position table before that of a text's first token
  uint64_t embedding_width = 0; // E; where it is not the blocks' width, `map` leads there

  // Names in the source; with the prefix, without ".weight".
  std::string prefix;
  std::string words, places, kinds, embedding_norm, map;
  AttentionNames attention{};
  MlpNames mlp{};
  std::vector<std::string> layers; // prefix of each block's tensors
  std::vector<uint32_t> order;     // the blocks as they run: some run several times
  std::string pooler;              // tanh(linear) of the first row; empty: none

  /// A matrix after the encoder, with what comes before it.
  struct Head {
    enum class Kind { None, Classes, Tokens } kind = Kind::None;
    // Both: act(linear), if not empty.
    std::string dense;
    Activation act = Activation::None;
    // Classes: of the first row, or of what the pooler makes of it.
    bool of_pooled = false;
    std::string out;
    uint32_t n_classes = 0;
    // Tokens: norm after dense, then the word table or a matrix of its own.
    std::string norm, matrix, bias;
  } head;

  std::vector<std::string> ignored; // further source tensors that are not needed
};

/// Sizes by the keys of BERT's kin, the tensors' prefix ("NAME.", none …) and the names of the embedding's
/// and of a BERT block's tensors. What an architecture has otherwise it sets afterwards. Layers and head are
/// its own.
TextEncoder read_text_encoder(const Source &source, const Config &config, const std::string &name,
                              const char *default_activation);
/// A head over the vocabulary: act(linear), a norm, then `matrix` where it is not tied to the word table.
void name_token_head(TextEncoder::Head &head, const Config &config, const std::string &dense, Activation act,
                     const std::string &norm, const std::string &bias, const std::string &matrix);
/// Classes of what `pooler` makes of the first row; the pooler, where there is one, for other heads too.
void name_pooled_head(const Source &source, const Config &config, TextEncoder &encoder,
                      const std::string &pooler);
/// Layers prefix.0., prefix.1. …, each run once; no more than check_text_encoder() admits.
void add_layers(TextEncoder &encoder, const std::string &prefix, uint32_t n);
/// Sizes in range, heads that divide the width. Error InvalidFile, Unsupported.
void check_text_encoder(const TextEncoder &encoder, const Config &config);
/// A text encoder cannot be a decoder, and needs plain absolute positions. Error Unsupported.
void check_plain_encoder(const Config &config);
/// "…ForSequenceClassification" → Classes, "…ForMaskedLM" and "…ForPreTraining" → Tokens, "…Model" → None.
/// Error Unsupported for another.
TextEncoder::Head::Kind read_head_kind(const Config &config);

ModelPlan plan_text_encoder(const Source &source, const Config &config, const TextEncoder &encoder);

} // namespace fovea
