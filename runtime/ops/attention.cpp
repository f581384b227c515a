#include "ops/attention.h"

#include "graph/lowering.h"
#include "kernels/select.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// All sizes of one attention, from the shapes of q and k.
struct Sizes {
  uint64_t n_batch, n_queries, n_keys, n_kv_heads, head_size;
  bool shared_keys; // one k and v for all batches
};

Sizes sizes_of(const Attention &op, const Shape &q, const Shape &k) {
  const uint64_t n_kv_heads = op.kv_heads ? op.kv_heads : op.heads;
  return {q.rows() / q.dim(-2), q.dim(-2), k.dim(-2), n_kv_heads, q.row() / op.heads, k.rank() == 2};
}

float scale_of(const Attention &op, uint64_t head_size) {
  return op.scale != 0 ? op.scale : float(1 / std::sqrt(double(head_size)));
}

} // namespace

TensorType Attention::infer(const Types &t) const {
  t.require(q, "q", Encoding::F32);
  const Shape &qs = t.shape(q), &ks = t.shape(k);
  const uint64_t n_kv = kv_heads ? kv_heads : heads;
  if (qs.rank() < 2 || heads == 0 || qs.row() % heads != 0 || heads % n_kv != 0)
    fail(ErrorCode::InvalidGraph, "heads=", heads, " kv_heads=", n_kv, " do not fit q ", qs);
  const uint64_t head_size = qs.row() / heads;
  if (head_size > 256) fail(ErrorCode::Unsupported, "heads of ", head_size, " elements; 256 at most");
  const bool batched = ks.rank() == 3 && qs.rank() == 3 && ks[0] == qs[0];
  if ((ks.rank() != 2 && !batched) || ks.row() != n_kv * head_size)
    fail(ErrorCode::InvalidGraph, "k '", t.name(k), "' ", ks, " does not fit q ", qs, " heads=", heads);
  if (t.encoding(k) != Encoding::F32 && t.encoding(k) != Encoding::F16)
    fail(ErrorCode::InvalidGraph, "k '", t.name(k), "' must be f32 or f16");
  t.require(v, "v", t.encoding(k), ks);
  if (past && qs.dim(-2) > ks.dim(-2))
    fail(ErrorCode::InvalidGraph, "more queries ", qs, " than cache rows ", ks);
  if (!past && causal && qs.dim(-2) != ks.dim(-2))
    fail(ErrorCode::InvalidGraph, "causal attention without past needs as many queries ", qs, " as keys ",
         ks);
  if (qs.elements() >= 1ull << 31 || ks.elements() >= 1ull << 31)
    fail(ErrorCode::Unsupported, "more than 2^31 elements: q ", qs, ", k ", ks);
  return {qs, Encoding::F32};
}

void Attention::lower(Lowering &l) const {
  const Sizes s = sizes_of(*this, l.shape(q), l.shape(k));
  const auto q_stride = uint32_t(heads * s.head_size), kv_stride = uint32_t(s.n_kv_heads * s.head_size);
  AttentionShape shape;
  shape.n_heads = heads;
  shape.n_kv_heads = uint32_t(s.n_kv_heads);
  shape.head_size = uint32_t(s.head_size);
  shape.n_queries = uint32_t(s.n_queries);
  shape.n_batch = uint32_t(s.n_batch);
  shape.n_keys = uint32_t(s.n_keys);
  shape.kv_f16 = l.type(k).encoding == Encoding::F16;
  shape.causal = causal;
  // Every stride is a multiple of the head size.
  shape.aligned = s.head_size % (shape.kv_f16 ? 8 : 4) == 0;

  AttentionParams p{};
  p.n_heads = heads;
  p.n_kv_heads = shape.n_kv_heads;
  p.head_size = shape.head_size;
  p.n_queries = shape.n_queries;
  p.n_batch = shape.n_batch;
  p.n_keys = shape.n_keys;
  p.q_stride = p.y_stride = q_stride;
  p.k_stride = p.v_stride = kv_stride;
  p.q_batch_stride = p.y_batch_stride = uint32_t(s.n_queries * q_stride);
  p.k_batch_stride = p.v_batch_stride = s.shared_keys ? 0 : uint32_t(s.n_keys * kv_stride);
  p.past_step = l.step(past);
  p.scale = scale_of(*this, s.head_size);

  const AttentionChoice choice = select_attention(l.caps(), shape);
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, q), l.read(1, k), l.read(2, v), l.write(3)},
             4 * s.n_batch * s.n_queries * s.n_keys * heads * s.head_size);
}

void Attention::reference(ReferenceCall &call) const {
  const HostTensor &queries = call.in(q), &keys = call.in(k), &values = call.in(v);
  HostTensor &out = call.out();
  const Sizes s = sizes_of(*this, queries.type.shape, keys.type.shape);
  const uint64_t n_past = call.step(past), q_stride = heads * s.head_size,
                 kv_stride = s.n_kv_heads * s.head_size;
  const uint64_t n_valid = past ? std::min(n_past + s.n_queries, s.n_keys) : s.n_keys;
  const double factor = double(scale_of(*this, s.head_size));
  std::vector<double> weight(n_valid);
  for (uint64_t b = 0; b < s.n_batch; ++b)
    for (uint64_t t = 0; t < s.n_queries; ++t)
      for (uint64_t h = 0; h < heads; ++h) {
        const uint64_t row = (b * s.n_queries + t) * q_stride + h * s.head_size;
        const uint64_t column = h / (heads / s.n_kv_heads) * s.head_size;
        const uint64_t keys_at = (s.shared_keys ? 0 : b * s.n_keys * kv_stride) + column;
        const uint64_t n_seen = causal ? std::min(n_valid, n_past + t + 1) : n_valid;
        double largest = -1e300, sum = 0;
        for (uint64_t i = 0; i < n_seen; ++i) {
          double dot = 0;
          for (uint64_t j = 0; j < s.head_size; ++j)
            dot += double(queries.f[row + j]) * double(keys.f[keys_at + i * kv_stride + j]);
          weight[i] = dot * factor;
          largest = std::max(largest, weight[i]);
        }
        for (uint64_t i = 0; i < n_seen; ++i) sum += weight[i] = std::exp(weight[i] - largest);
        for (uint64_t j = 0; j < s.head_size; ++j) {
          double y = 0;
          for (uint64_t i = 0; i < n_seen; ++i)
            y += weight[i] * double(values.f[keys_at + i * kv_stride + j]);
          out.f[row + j] = float(y / sum);
        }
      }
}

} // namespace fovea
