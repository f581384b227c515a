// Transformers over the patches of an image (Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021): what
// they share, as one description. Architectures differ in names, in tokens beside the patches, in positions
// and in heads. Pure; thread-safe. Errors: InvalidFile, Unsupported, those of Graph.
#pragma once

#include "converter/architectures/transformer_blocks.h"

namespace fovea {

struct VisionEncoder {
  BlockSpec blocks;
  uint32_t n_layers = 0;
  uint32_t image_h = 0, image_w = 0, patch_h = 0, patch_w = 0, channels = 3;
  bool any_size =
      false; // positions are interpolated (bicubic) to the image's size; else it is image_h, image_w

  /// Rows of the sequence beside the patches, with or without embeddings of their positions.
  struct Tokens {
    std::string name; // of a source tensor [.., rows, D]
    uint32_t rows = 1;
    int64_t position = 0; // row of the position table for the first; negative: none
  };
  std::vector<Tokens> before, after;
  uint32_t first_patch = 1; // row of the position table for the first patch

  // Names in the source. `at` is put before the names in the file: "", "image."
  std::string at;
  std::string patches; // the convolution, without ".weight"
  bool patch_bias = true;
  std::string positions; // [.., T, D]
  std::string layer;     // before a layer's number
  AttentionNames attention{};
  MlpNames mlp{};
  std::string attention_scale, mlp_scale; // [D] that multiply what a sublayer adds; in a layer; empty: none
  std::string first_norm, last_norm;      // of the embeddings; after the blocks; empty: none
  std::string more_positions; // [layers - 1, .., T, D] added after each block but the last; empty: none

  uint64_t grid_h() const { return image_h / patch_h; }
  uint64_t grid_w() const { return image_w / patch_w; }
  uint64_t rows_before() const;
  uint64_t rows_after() const;
  uint64_t n_positions() const; // rows of the position table
};

/// hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, hidden_act, layer_norm_eps,
/// qkv_bias, image_size, patch_size, num_channels, all checked. Pre-norm blocks.
void read_vision_sizes(const Config &config, VisionEncoder &encoder);
/// Names of the layers that ViT's published files have, behind `prefix`.
void use_vit_names(VisionEncoder &encoder, const std::string &prefix);

/// ViT, or DeiT with its distillation token.
VisionEncoder read_vit_encoder(const Config &config, const std::string &prefix, bool distilled);

/// The input `pixels`.
Value add_pixels(Graph &g, const VisionEncoder &encoder, const char *batch = "B");
/// pixels → [B, T, D] before the last norm. Attention probabilities are offered as `offered`.0 … unless
/// empty.
Value add_vision_encoder(BlockBuilder &b, const VisionEncoder &encoder, Value pixels,
                         const std::string &offered);
void add_vision_tensors(ModelPlan &plan, const Source &source, const VisionEncoder &encoder,
                        Encoding encoding);

} // namespace fovea
