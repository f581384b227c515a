#include "ops/attention_weights.h"

#include "ops/attention_lowering.h"
#include "ops/map.h"

#include <algorithm>

namespace fovea {

void AttentionWeights::fields(FieldVisitor &visitor) {
  visitor.operand("q", q);
  visitor.operand("k", k);
  visitor.optional_operand("mask", mask);
  visitor.optional_operand("bias", bias);
  visit_fields(visitor);
}

TensorType AttentionWeights::infer(const Types &t) const {
  check_attention(t, *this);
  const AttentionSizes s = attention_sizes(*this, t.shape(q), t.shape(k));
  const TensorType type{{s.n_batch, heads, s.n_queries, s.n_keys}, Encoding::F32};
  require_indexable(type.shape, "the weights");
  return type;
}

void AttentionWeights::lower(Lowering &l) const {
  const AttentionSizes s = attention_sizes(*this, l.shape(q), l.shape(k));
  const AttentionShape shape = attention_shape(l, *this, s);
  AttentionParams p = attention_params(l, *this, s);
  const std::optional<BufferRef> extras = bind_extras(l, *this, p);
  KernelChoice choice = select_row_kernel(l.caps(), s.n_batch * heads * s.n_queries, s.n_keys,
                                          KernelId::attention_weights, KernelId::attention_weights_subgroup);
  const std::vector<uint32_t> common = attention_constants(shape);
  choice.spec.insert(choice.spec.end(), common.begin(), common.end());
  l.dispatch(choice, push_words(p),
             {l.read(0, q),
              l.read(1, k),
              {2, extras.value_or(l.ref(k)), Access::Read},
              {3, l.target().ref, Access::ReadWrite}},
             2 * s.n_batch * s.n_queries * s.n_keys * heads * s.head_size);
}

void AttentionWeights::reference(ReferenceCall &call) const {
  const AttentionSizes s = attention_sizes(*this, call.in(q).type.shape, call.in(k).type.shape);
  std::vector<float> &y = call.out().f;
  std::vector<double> weight;
  auto row = y.begin();
  for (uint64_t b = 0; b < s.n_batch; ++b)
    for (uint64_t h = 0; h < heads; ++h)
      for (uint64_t t = 0; t < s.n_queries; ++t, row += std::ptrdiff_t(s.n_keys)) {
        reference_weights(call, *this, s, b, h, t, weight);
        std::transform(weight.begin(), weight.end(), row, [](double w) { return float(w); });
      }
}

} // namespace fovea
