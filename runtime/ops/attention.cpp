#include "ops/attention.h"

#include "ops/attention_lowering.h"

namespace fovea {

void Attention::fields(FieldVisitor &visitor) {
  visitor.operand("q", q);
  visitor.operand("k", k);
  visitor.operand("v", v);
  visitor.optional_operand("mask", mask);
  visitor.optional_operand("bias", bias);
  visit_fields(visitor);
}

TensorType Attention::infer(const Types &t) const {
  check_attention(t, *this);
  t.require(v, "v", t.encoding(k), t.shape(k));
  if (t.encoding(k) == Encoding::Q8 && !t.is_state(v))
    fail(ErrorCode::InvalidGraph, "v '", t.name(v), "' is q8, which only a state may be");
  return {t.shape(q), Encoding::F32};
}

void Attention::lower(Lowering &l) const {
  const AttentionSizes s = attention_sizes(*this, l.shape(q), l.shape(k));
  const AttentionShape shape = attention_shape(l, *this, s);
  AttentionParams p = attention_params(l, *this, s);
  const std::optional<BufferRef> extras = bind_extras(l, *this, p);

  // With a mask or a bias k and v share a binding, since a kernel may count on four only.
  BoundRef keys = l.read(1, k);
  const auto word = [](size_t offset) { return uint32_t(offset / 4); };
  if (extras)
    keys.joined = JoinedRef{l.ref(v), word(offsetof(AttentionParams, k_offset)),
                            word(offsetof(AttentionParams, v_offset)), 16 / elements_per_vector(shape.kv)};
  const BoundRef second = extras ? BoundRef{2, *extras, Access::Read} : l.read(2, v);
  const AttentionChoice choice = select_attention(l.caps(), shape);
  l.dispatch(choice, push_words(p), {l.read(0, q), keys, second, l.write(3)},
             4 * s.n_batch * s.n_queries * s.n_keys * heads * s.head_size);
}

void Attention::reference(ReferenceCall &call) const {
  const HostTensor &queries = call.in(q), &keys = call.in(k), &values = call.in(v);
  HostTensor &out = call.out();
  const AttentionSizes s = attention_sizes(*this, queries.type.shape, keys.type.shape);
  const uint64_t kv_stride = s.n_kv_heads * s.head_size;
  std::vector<double> weight;
  for (uint64_t b = 0; b < s.n_batch; ++b)
    for (uint64_t t = 0; t < s.n_queries; ++t)
      for (uint64_t h = 0; h < heads; ++h) {
        reference_weights(call, *this, s, b, h, t, weight);
        const uint64_t row = ((b * s.n_queries + t) * heads + h) * s.head_size;
        const uint64_t values_at =
            (s.shared_keys ? 0 : b * s.n_keys * kv_stride) + h / (heads / s.n_kv_heads) * s.head_size;
        for (uint64_t j = 0; j < s.head_size; ++j) {
          double y = 0;
          for (uint64_t i = 0; i < s.n_keys; ++i)
            if (weight[i] != 0) y += weight[i] * double(values.f[values_at + i * kv_stride + j]);
          out.f[row + j] = float(y);
        }
      }
}

} // namespace fovea
