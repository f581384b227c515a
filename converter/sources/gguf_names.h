// llama.cpp's names of a model's settings and tensors, as Hugging Face's.
// Pure. Errors Unsupported name the key and the value.
#pragma once

#include "converter/json.h"
#include "converter/sources/gguf_header.h"

namespace fovea {

/// A family whose files are read, told by general.architecture.
struct GgufFamily {
  const char *architecture, *model_type, *causal_lm; // "qwen2", "qwen2", "Qwen2ForCausalLM"
  /// Rows of each head of q and k are stored in pairs (i, i + half), for rope on neighbours.
  bool interleaved = false;
  /// Norms' weights are stored with 1 added; MLPs are between two norms.
  bool gemma = false;
};
/// Error Unsupported for another family, and for Fovea's own files.
const GgufFamily &gguf_family(const GgufHeader &header);

/// config.json in Hugging Face's terms. `rope_factors`: the tensor rope_freqs.weight, empty when there is
/// none; `names`: of all tensors.
Json gguf_config(const GgufHeader &header, const GgufFamily &family, std::span<const float> rope_factors,
                 const std::vector<std::string> &names);

/// "model.layers.0.self_attn.q_proj.weight" for "blk.0.attn_q.weight"; an unknown name is kept.
std::string hugging_face_name(const std::string &name, const GgufFamily &family);

} // namespace fovea
