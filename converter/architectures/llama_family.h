// What Llama (Touvron et al., 2023) and the models made after its pattern share: keys of the configuration,
// names of tensors. Each says with plain data where it differs. Pure; thread-safe. Errors: as
// CausalDecoder's.
#pragma once

#include "converter/architectures/causal_decoder.h"

namespace fovea {

/// What the reference implementation assumes where a configuration is silent.
struct LlamaDefaults {
  const char *architecture;
  uint32_t vocabulary = 32000, width = 4096, ffn = 11008, layers = 32, heads = 32;
  uint32_t kv_heads = 0;  // 0: as many as heads
  uint32_t head_size = 0; // 0: width / heads
  uint32_t positions = 2048;
  bool tied = false;
  const char *activation_key = "hidden_act", *activation = "silu";
};

/// Sizes, activation and norms; layers without windows. Rotary tables are the caller's (read_rope()).
CausalDecoder read_llama_sizes(const Config &config, const LlamaDefaults &defaults);

/// "layer_types" of the configuration, one for each layer; nothing when it has none. Error Unsupported for
/// another type than full_attention and sliding_attention.
std::vector<std::string> read_layer_types(const Config &config, size_t n_layers);
/// The window of sliding layers. Error InvalidFile when `types` has such layers and there is no window.
void set_windows(CausalDecoder &decoder, const Config &config, const std::vector<std::string> &types,
                 uint32_t window);

struct LlamaNames {
  std::vector<const char *> prefixes = {"model.", ""}; // of all but the output matrix: the first that fits
  std::vector<const char *> heads = {"lm_head.weight"};
  const char *ln_after = nullptr;                  // of what attention adds
  const char *ln_mlp = "post_attention_layernorm"; // before the MLP
  const char *ln_mlp_after = nullptr;
  bool norms_from_zero = false; // the source stores gamma - 1
  std::vector<std::string> ignored;
};
void add_llama_tensors(const CausalDecoder &decoder, const Source &source, const LlamaNames &names,
                       ModelPlan &plan);

/// A whole plan for matrices of an encoding: graphs, tensors, generation. Decides on the caches' encoding and
/// on which of q, k and v are one matrix.
ModelPlan plan_llama(CausalDecoder decoder, const Source &source, const Config &config,
                     const LlamaNames &names, Encoding encoding);

} // namespace fovea
