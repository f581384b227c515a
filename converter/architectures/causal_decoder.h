// Decoder-only language models (Radford et al., 2019; Touvron et al., 2023): one description in plain data,
// from which the graphs `forward` and `step` follow. Architectures differ in what they fill in and in the
// names of their tensors. Pure; thread-safe. Errors: InvalidFile and Unsupported, naming the configuration's
// key.
//
// Tensors of the flat file (.w matrices, .b biases, .g and .b of norms): tok, pos, rope.I, ln, head, and of
// layer N after "dec.N.": ln, q, k, v (or qkv, their rows one after the other; or qk, v), q_ln, k_ln, o,
// ln_after, ln_mlp, fc1 (of a gated MLP rows of the gate and of the values in turn), fc2, ln_mlp_after.
#pragma once

#include "converter/json.h"
#include "converter/model_plan.h"
#include "graph/graph.h"
#include "ops/linear.h"
#include "ops/rope.h"

namespace fovea {

/// One table of rotary frequencies: radians per position, and a factor on the result.
struct RopeTable {
  std::vector<float> frequencies;
  float scale = 1;
};

/// Which of the matrices of q, k and v are one, so that a token takes fewer products and one rope_qkv.
enum class QkvLayout { Apart, ValuesApart, Joined };

struct CausalDecoder {
  std::string architecture;
  uint32_t vocabulary = 0; // V
  uint32_t context = 0;    // most positions that the model can tell apart
  uint32_t width = 0;      // D
  uint32_t ffn = 0;        // F
  uint32_t heads = 0, kv_heads = 0, head_size = 0;

  bool rms_norm = true; // else LayerNorm
  float eps = 1e-6f;
  bool head_norm = false;           // q and k of each head are normalized before they are turned
  bool norm_after = false;          // what a sublayer adds is normalized too
  QkvLayout qkv = QkvLayout::Apart; // another needs rotary positions, and heads that are not normalized
  bool qkv_bias = false, o_bias = false, mlp_bias = false;
  bool gated = true;
  Activation act = Activation::Silu;
  bool position_table = false; // learned positions
  float embedding_scale = 1;
  bool tied = true;    // the embedding is the output matrix
  float logit_cap = 0; // c tanh(logits / c); 0: none

  std::vector<RopeTable> ropes;
  RopePairs rope_pairs = RopePairs::Half;
  struct Layer {
    uint32_t window = 0; // positions a query sees; 0: all before it
    uint32_t rope = 0;   // index of its table
    float scale = 0;     // of attention scores; 0: 1 / sqrt(head_size)
  };
  std::vector<Layer> layers;
  Encoding cache = Encoding::F16;
};

/// Of keys and values, for matrices of an encoding.
inline Encoding cache_encoding(Encoding matrices) {
  return matrices == Encoding::F32 ? Encoding::F32 : Encoding::F16;
}

/// Error Unsupported for heads of more elements than attention takes; before anything is made of that size.
void check_head_size(uint32_t head_size, const Config &config);
/// Sizes in range, heads that fit. Error InvalidFile that names config's file.
void check_decoder(const CausalDecoder &decoder, const Config &config);

/// forward (tokens [B, T] → logits [B, T, V]; no state) and step (docs/graph.md).
std::vector<Graph> decoder_graphs(const CausalDecoder &decoder);

/// The graphs, the rotary tables and the sizes that tasks ask for; tensors of the source are the
/// architecture's.
ModelPlan start_decoder_plan(const CausalDecoder &decoder, const Source &source);

} // namespace fovea
