#include "converter/architectures/transformer_blocks.h"

#include "converter/architectures/attention_block.h"
#include "ops/gated.h"
#include "ops/regroup.h"
#include "ops/rms_norm.h"

namespace fovea {

// ---- graphs

Linear BlockBuilder::linear_op(Value x, const std::string &at, bool bias, Activation act, Value residual) {
  Linear op;
  op.x = x;
  op.weight = g.weight(at + ".w");
  if (bias) op.bias = g.weight(at + ".b");
  op.residual = residual;
  op.act = act;
  return op;
}

Op BlockBuilder::norm_op(Value x, const std::string &at, Rows rows) {
  if (spec.rms_norm) {
    RmsNorm op;
    op.x = x;
    op.gamma = g.weight(at + ".g");
    op.eps = spec.eps;
    op.rows = rows;
    return op;
  }
  return LayerNorm{x, g.weight(at + ".g"), g.weight(at + ".b"), spec.eps, rows};
}

AttentionFields BlockBuilder::fields(Value q, Value k, const Attended &a) const {
  AttentionFields out;
  out.q = q;
  out.k = k;
  out.mask = a.mask;
  out.bias = a.bias;
  out.heads = spec.heads;
  out.scale = spec.scale;
  return out;
}

Value BlockBuilder::self_attention(Value x, const std::string &at, const Attended &a) {
  return uncached_attention(x, at, a, false);
}
Value BlockBuilder::causal_attention(Value x, const std::string &at, const Attended &a) {
  return uncached_attention(x, at, a, true);
}

Value BlockBuilder::uncached_attention(Value x, const std::string &at, const Attended &a, bool causal) {
  const Value h = before(x, at + ".ln");
  const bool bias = spec.bias && spec.qkv_bias;
  const Value q = g.add("q", linear_op(h, at + ".q", bias)), k = g.add("k", linear_op(h, at + ".k", bias)),
              v = g.add("v", linear_op(h, at + ".v", bias));
  AttentionFields f = fields(q, k, a);
  f.causal = causal;
  const Value y = add_attention(g, f, v, a.offered);
  return after(linear("x", y, at + ".o", Activation::None, x), at + ".ln");
}

Value BlockBuilder::cached_attention(Value x, const std::string &at, Value k, Value v, const StepName &pos,
                                     const Attended &a) {
  const Value h = before(x, at + ".ln");
  const bool bias = spec.bias && spec.qkv_bias;
  const Value q = g.add("q", linear_op(h, at + ".q", bias));
  g.store(linear_op(h, at + ".k", bias), k, pos);
  g.store(linear_op(h, at + ".v", bias), v, pos);
  AttentionFields f = fields(q, k, a);
  f.causal = true;
  f.past = pos;
  const Value y = add_attention(g, f, v, a.offered);
  return after(linear("x", y, at + ".o", Activation::None, x), at + ".ln");
}

Value BlockBuilder::cross_attention(Value x, const std::string &at, Value k, Value v, const Attended &a,
                                    bool grouped) {
  const Value h = before(x, at + ".ln_cross");
  Value q = g.add("q", linear_op(h, at + ".cross_q", spec.bias && spec.qkv_bias));
  if (grouped) q = g.add("q", Regroup{q, k});
  Value y = add_attention(g, fields(q, k, a), v, a.offered);
  if (grouped) y = g.add("a", Regroup{y, x});
  return after(linear("x", y, at + ".cross_o", Activation::None, x), at + ".ln_cross");
}

void BlockBuilder::store_cross(Value x, const std::string &at, Value k, Value v) {
  const bool bias = spec.bias && spec.qkv_bias;
  g.store(linear_op(x, at + ".cross_k", bias), k);
  g.store(linear_op(x, at + ".cross_v", bias), v);
}

Value BlockBuilder::mlp(Value x, const std::string &at) {
  const Value h = before(x, at + ".ln_mlp");
  Value f = linear("f", h, at + ".fc1", spec.gated ? Activation::None : spec.act);
  if (spec.gated) f = g.add("f", Gated{f, spec.act});
  return after(linear("x", f, at + ".fc2", Activation::None, x), at + ".ln_mlp");
}

// ---- tensors

void BlockTensors::linear(const std::string &to, const std::string &from, uint64_t n, uint64_t k, bool bias,
                          TensorClass tensor_class) {
  plan_.add_tensor(to + ".w", {n, k}, tensor_class, from + ".weight");
  if (bias) plan_.add_tensor(to + ".b", {n}, TensorClass::Exact, from + ".bias");
}

void BlockTensors::norm(const std::string &to, const std::string &from, uint64_t width) {
  const bool old = source_.find(from + ".gamma") != nullptr;
  plan_.add_tensor(to + ".g", {width}, TensorClass::Exact, from + (old ? ".gamma" : ".weight"));
  if (!spec_.rms_norm)
    plan_.add_tensor(to + ".b", {width}, TensorClass::Exact, from + (old ? ".beta" : ".bias"));
}

void BlockTensors::attention(const std::string &to, const std::string &from, const AttentionNames &names,
                             const char *prefix, uint64_t key_width) {
  const uint64_t d = spec_.width, inner = spec_.inner(), wide = key_width ? key_width : d;
  const TensorClass usual = matrix_class(d);
  const bool bias = spec_.bias && spec_.qkv_bias;
  const std::string at = concat(to, ".", prefix);
  norm(concat(to, ".ln", *prefix ? "_cross" : ""), from + names.norm);
  linear(at + "q", from + names.q, inner, d, bias, usual);
  linear(at + "k", from + names.k, inner, wide, bias, usual);
  linear(at + "v", from + names.v, inner, wide, bias, TensorClass::Delicate);
  linear(at + "o", from + names.o, d, inner, spec_.bias, usual);
}

void BlockTensors::mlp(const std::string &to, const std::string &from, const MlpNames &names) {
  const uint64_t d = spec_.width, f = spec_.ffn;
  norm(to + ".ln_mlp", from + names.norm);
  if (spec_.gated) {
    if (spec_.bias) fail(ErrorCode::Internal, "a gated MLP with biases");
    OutputTensor both{to + ".fc1.w",
                      {2 * f, d},
                      matrix_class(d),
                      {{from + names.gate + ".weight", {f, d}}, {from + names.fc1 + ".weight", {f, d}}},
                      {}};
    both.combine = [](std::span<const std::vector<float>> inputs) {
      std::vector<float> out = inputs[0];
      out.insert(out.end(), inputs[1].begin(), inputs[1].end());
      return out;
    };
    plan_.tensors.push_back(std::move(both));
  } else {
    linear(to + ".fc1", from + names.fc1, f, d, spec_.bias, matrix_class(d));
  }
  linear(to + ".fc2", from + names.fc2, d, f, spec_.bias, TensorClass::Delicate);
}

// ---- configurations

void add_columns(ModelPlan &plan, const std::string &to, const std::string &from, uint64_t n, uint64_t k,
                 TensorClass tensor_class, uint64_t first, uint64_t all) {
  OutputTensor w{to + ".w", {n, k}, tensor_class, {{from + ".weight", {k, all}}}, {}};
  w.combine = [=](std::span<const std::vector<float>> inputs) {
    std::vector<float> out(n * k);
    for (uint64_t row = 0; row < n; ++row)
      for (uint64_t i = 0; i < k; ++i) out[row * k + i] = inputs[0][i * all + first + row];
    return out;
  };
  OutputTensor b{to + ".b", {n}, TensorClass::Exact, {{from + ".bias", {all}}}, {}};
  b.combine = [=](std::span<const std::vector<float>> inputs) {
    const auto begin = inputs[0].begin() + int64_t(first);
    return std::vector<float>(begin, begin + int64_t(n));
  };
  plan.tensors.push_back(std::move(w));
  plan.tensors.push_back(std::move(b));
}

std::string find_prefix(const Source &source, std::initializer_list<const char *> prefixes,
                        const std::string &name) {
  for (const char *prefix : prefixes)
    if (source.find(prefix + name)) return prefix;
  return *prefixes.begin();
}

} // namespace fovea
