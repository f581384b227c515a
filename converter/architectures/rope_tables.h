// Rotary frequencies from configurations, as Hugging Face transformers computes them
// (modeling_rope_utils.py): default, linear, dynamic, yarn (Peng et al., 2023), longrope (Ding et al., 2024)
// and llama3. Pure; thread-safe. Errors: Unsupported (another type, a key that would change the result),
// InvalidFile.
#pragma once

#include "converter/architectures/causal_decoder.h"

namespace fovea {

struct RopeSource {
  uint32_t head_size = 0;
  uint32_t positions = 0; // max_position_embeddings
  double theta = 10000;   // where the configuration has none
};

/// What `config` says with "rope_parameters", or in older files "rope_scaling" and "rope_theta"; of
/// parameters by layer type those of `layer_type`. Positions beyond what the table is made for are cut off
/// `context`.
RopeTable read_rope(const Config &config, const RopeSource &source, const std::string &layer_type,
                    uint32_t &context);

/// The table that `parameters` describe. For configurations with a spelling of their own.
RopeTable make_rope(const Config &parameters, const RopeSource &source, uint32_t &context);

} // namespace fovea
