// What the builders of transformers share: sublayers of graphs (attention, MLP; normalized before or after,
// by LayerNorm or RMS norm), and the tensors that they name. An architecture says with plain data which of
// them it has.
//
// Tensors of a block `at`: at.ln, at.q, at.k, at.v, at.o; at.ln_cross, at.cross_q …; at.ln_mlp, at.fc1,
// at.fc2: .w and .b of matrices, .g and .b of norms. One thread. Errors: those of Graph.
#pragma once

#include "converter/architectures/activation.h"
#include "converter/json.h"
#include "converter/model_plan.h"
#include "graph/graph.h"
#include "ops/attention.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"

namespace fovea {

/// A stack of blocks.
struct BlockSpec {
  uint64_t width = 0;     // D
  uint64_t ffn = 0;       // F
  uint32_t heads = 0;     // H
  uint32_t head_size = 0; // K; 0: D / H
  bool pre_norm = false;  // x + f(norm(x)); else norm(x + f(x))
  bool rms_norm = false;  // else LayerNorm
  bool bias = true;       // of linear layers
  bool qkv_bias = true;   // of q, k and v, where the others have one
  bool gated = false;     // act(x G^T) * (x U^T): at.fc1 is G above U
  Activation act = Activation::Gelu;
  float eps = 1e-5f;
  float scale = 0; // of attention scores; 0: 1 / sqrt(K)

  uint64_t inner() const { return head_size ? uint64_t(heads) * head_size : width; }
};

/// Builds a graph of blocks.
class BlockBuilder {
public:
  BlockBuilder(const std::string &graph, BlockSpec blocks) : g(graph), spec(blocks) {}

  /// at.w and, if `bias`, at.b.
  Linear linear_op(Value x, const std::string &at, bool bias, Activation act = Activation::None,
                   Value residual = {});
  Value linear(const char *name, Value x, const std::string &at, Activation act = Activation::None,
               Value residual = {}) {
    return g.add(name, linear_op(x, at, spec.bias, act, residual));
  }
  Op norm_op(Value x, const std::string &at, Rows rows = Rows::All);
  Value norm(Value x, const std::string &at, Rows rows = Rows::All) {
    return g.add("h", norm_op(x, at, rows));
  }

  struct Attended {
    Value mask;          // keys shown, or none
    Value bias;          // table by distance, or none
    std::string offered; // the name under which the probabilities are, or empty
  };
  // Sublayers with their residuals: x is [B, T, D].
  Value self_attention(Value x, const std::string &at, const Attended &a = {});
  /// Keys and values are appended to the states k and v [B, C, H K] at `pos`; queries see what is before
  /// them.
  Value cached_attention(Value x, const std::string &at, Value k, Value v, const StepName &pos,
                         const Attended &a = {});
  /// The same without states: all positions at once.
  Value causal_attention(Value x, const std::string &at, const Attended &a = {});
  /// k and v: [G, S, H K], filled by store_cross(). `grouped`: B / G sequences of x in a row share a batch of
  /// keys.
  Value cross_attention(Value x, const std::string &at, Value k, Value v, const Attended &a = {},
                        bool grouped = false);
  /// at.cross_k and at.cross_v of x into states.
  void store_cross(Value x, const std::string &at, Value k, Value v);
  Value mlp(Value x, const std::string &at);
  Value block(Value x, const std::string &at, const Attended &a = {}) {
    return mlp(self_attention(x, at, a), at);
  }

  Graph g;
  BlockSpec spec;

private:
  AttentionFields fields(Value q, Value k, const Attended &a) const;
  Value uncached_attention(Value x, const std::string &at, const Attended &a, bool causal);
  Value before(Value x, const std::string &norm_at) { return spec.pre_norm ? norm(x, norm_at) : x; }
  Value after(Value x, const std::string &norm_at) { return spec.pre_norm ? x : norm(x, norm_at); }
};

/// What the tensors of a block are called in a source, after the layer's prefix and without ".weight".
struct AttentionNames {
  const char *norm, *q, *k, *v, *o;
};
struct MlpNames {
  const char *norm, *fc1, *fc2;
  const char *gate = nullptr; // of a gated MLP: what the activation is applied to
};

/// Adds the tensors of blocks to a plan.
class BlockTensors {
public:
  BlockTensors(const Source &source, ModelPlan &plan, BlockSpec spec)
      : source_(source), plan_(plan), spec_(spec) {}

  /// Layers as in `spec`, in the encoding that the width allows. `key_width`: of what k and v are made from;
  /// 0: D.
  void attention(const std::string &to, const std::string &from, const AttentionNames &names,
                 const char *prefix = "", uint64_t key_width = 0);
  void mlp(const std::string &to, const std::string &from, const MlpNames &names);
  /// from.weight [n, k] and, if `bias`, from.bias.
  void linear(const std::string &to, const std::string &from, uint64_t n, uint64_t k, bool bias,
              TensorClass tensor_class);
  /// from.weight and, unless RMS, from.bias; older PyTorch files say gamma and beta.
  void norm(const std::string &to, const std::string &from, uint64_t width);
  void norm(const std::string &to, const std::string &from) { norm(to, from, spec_.width); }

private:
  const Source &source_;
  ModelPlan &plan_;
  BlockSpec spec_;
};

/// to.w [n, k] and to.b [n] from columns first … first + n - 1 of from.weight [k, all] and from.bias [all]:
/// GPT-2's matrices, with inputs outermost and q, k and v in one.
void add_columns(ModelPlan &plan, const std::string &to, const std::string &from, uint64_t n, uint64_t k,
                 TensorClass tensor_class, uint64_t first, uint64_t all);

/// The first of `prefixes` with which the source has a tensor `name`; the first when none has.
std::string find_prefix(const Source &source, std::initializer_list<const char *> prefixes,
                        const std::string &name);

} // namespace fovea
