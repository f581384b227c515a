#include "ops/attention_lowering.h"

#include "base/checked.h"
#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

uint64_t positions(const Shape &s) { return s.rank() == 4 ? s[1] * s[2] : s.dim(-2); }

} // namespace

void AttentionFields::visit_fields(FieldVisitor &visitor) {
  visitor.field("heads", heads, std::nullopt);
  visitor.field("kv_heads", kv_heads, 0u);
  visitor.field("causal", causal, false);
  visitor.field("past", past);
  visitor.field("scale", scale, 0.f);
  visitor.field("window", window, 0u);
}

AttentionSizes attention_sizes(const AttentionFields &op, const Shape &q, const Shape &k) {
  const uint64_t n_kv_heads = op.kv_heads ? op.kv_heads : op.heads;
  return {q.rows() / positions(q), positions(q), positions(k), n_kv_heads, q.row() / op.heads, k.rank() == 2};
}

void check_attention(const Types &t, const AttentionFields &op) {
  t.require(op.q, "q", Encoding::F32);
  const Shape &q = t.shape(op.q), &k = t.shape(op.k);
  const uint64_t n_kv = op.kv_heads ? op.kv_heads : op.heads;
  if (q.rank() < 2 || op.heads == 0 || q.row() % op.heads != 0 || op.heads % n_kv != 0)
    fail(ErrorCode::InvalidGraph, "heads=", op.heads, " kv_heads=", n_kv, " do not fit q ", q);
  const uint64_t head_size = q.row() / op.heads;
  if (head_size > 256) fail(ErrorCode::Unsupported, "heads of ", head_size, " elements; 256 at most");
  const bool batched = k.rank() >= 3 && q.rank() >= 3 && k[0] == q[0];
  if ((k.rank() != 2 && !batched) || k.row() != n_kv * head_size)
    fail(ErrorCode::InvalidGraph, "k '", t.name(op.k), "' ", k, " does not fit q ", q, " heads=", op.heads);
  const Encoding kv = t.encoding(op.k);
  if (kv != Encoding::F32 && kv != Encoding::F16 && !(kv == Encoding::Q8 && t.is_state(op.k)))
    fail(ErrorCode::InvalidGraph, "k '", t.name(op.k), "' is ", kv,
         "; it must be f32 or f16, a state may be q8");
  const AttentionSizes s = attention_sizes(op, q, k);
  if (op.past && s.n_queries > s.n_keys)
    fail(ErrorCode::InvalidGraph, "more queries ", q, " than cache rows ", k);
  if (!op.past && op.causal && s.n_queries != s.n_keys)
    fail(ErrorCode::InvalidGraph, "causal attention without past needs as many queries ", q, " as keys ", k);
  if (op.mask) {
    t.require(op.mask, "mask", Encoding::I32);
    const Shape &mask = t.shape(op.mask);
    if (mask != Shape{s.n_keys} && mask != Shape{s.n_batch, s.n_keys})
      fail(ErrorCode::InvalidGraph, "mask '", t.name(op.mask), "' ", mask, " does not fit ", s.n_batch, " x ",
           s.n_keys, " keys");
  }
  if (op.bias) {
    t.require(op.bias, "bias", Encoding::F32);
    const Shape &bias = t.shape(op.bias);
    if (bias.rank() != 2 || bias[0] != op.heads || bias[1] % 2 == 0)
      fail(ErrorCode::InvalidGraph, "bias '", t.name(op.bias), "' ", bias, " must be [", op.heads,
           ", an odd number of distances]");
    require_indexable(bias, "bias");
  }
  if (!std::isfinite(op.scale)) fail(ErrorCode::InvalidGraph, "scale is ", op.scale);
  if (q.elements() >= 1ull << 31 || k.elements() >= 1ull << 31)
    fail(ErrorCode::Unsupported, "more than 2^31 elements: q ", q, ", k ", k);
}

AttentionShape attention_shape(const Lowering &l, const AttentionFields &op, const AttentionSizes &s) {
  AttentionShape shape;
  shape.n_heads = op.heads;
  shape.n_kv_heads = uint32_t(s.n_kv_heads);
  shape.head_size = uint32_t(s.head_size);
  shape.n_queries = uint32_t(s.n_queries);
  shape.n_batch = uint32_t(s.n_batch);
  shape.n_keys = uint32_t(s.n_keys);
  shape.kv = l.type(op.k).encoding;
  shape.causal = op.causal;
  shape.mask = bool(op.mask);
  shape.bias = bool(op.bias);
  shape.window = op.window > 0;
  // Every stride is a multiple of the head size.
  shape.aligned = s.head_size % elements_per_vector(shape.kv) == 0;
  const DeviceCaps &caps = l.caps();
  const uint64_t texels = caps.max_texel_buffer_elements, limit = texels * 16;
  // How far apart operands that share a binding lie is not known yet.
  shape.texels = op.mask || op.bias ? limit >= caps.max_storage_buffer_range
                                    : align_up(l.type(op.q).bytes(), 16) <= limit &&
                                          align_up(l.type(op.k).bytes(), 16) <= limit;
  return shape;
}

AttentionParams attention_params(const Lowering &l, const AttentionFields &op, const AttentionSizes &s) {
  const auto q_stride = uint32_t(op.heads * s.head_size), kv_stride = uint32_t(s.n_kv_heads * s.head_size);
  AttentionParams p{};
  p.n_heads = op.heads;
  p.n_kv_heads = uint32_t(s.n_kv_heads);
  p.head_size = uint32_t(s.head_size);
  p.n_queries = uint32_t(s.n_queries);
  p.n_batch = uint32_t(s.n_batch);
  p.n_keys = uint32_t(s.n_keys);
  p.q_stride = p.y_stride = q_stride;
  p.k_stride = p.v_stride = kv_stride;
  p.q_batch_stride = p.y_batch_stride = uint32_t(s.n_queries * q_stride);
  p.k_batch_stride = p.v_batch_stride = s.shared_keys ? 0 : uint32_t(s.n_keys * kv_stride);
  p.kv_elements = uint32_t(l.shape(op.k).elements());
  p.past_step = l.step(op.past);
  p.scale = op.scale != 0 ? op.scale : float(1 / std::sqrt(double(s.head_size)));
  p.window = op.window;
  return p;
}

std::optional<BufferRef> bind_extras(Lowering &l, const AttentionFields &op, AttentionParams &p) {
  if (!op.mask && !op.bias) return {};
  if (op.mask && l.shape(op.mask).rank() == 2) p.mask_batch_stride = uint32_t(l.shape(op.mask)[1]);
  if (op.bias) p.bias_length = uint32_t(l.shape(op.bias)[1]);
  if (!op.bias) return l.ref(op.mask);
  if (!op.mask) return l.ref(op.bias);
  const uint64_t n_mask = l.shape(op.mask).elements(), n_bias = l.shape(op.bias).elements();
  const BufferRef both = l.temporary((n_mask + n_bias) * 4);
  p.bias_offset = uint32_t(n_mask);
  const AttentionExtrasParams params{uint32_t(n_mask), uint32_t(n_bias)};
  const KernelChoice choice = map_kernel(l.caps(), n_mask + n_bias, KernelId::attention_extras);
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, op.mask), l.read(1, op.bias), {2, both, Access::Write}}, n_mask + n_bias);
  return both;
}

void reference_weights(ReferenceCall &call, const AttentionFields &op, const AttentionSizes &s, uint64_t b,
                       uint64_t h, uint64_t t, std::vector<double> &weight) {
  const HostTensor &queries = call.in(op.q), &keys = call.in(op.k);
  const uint64_t n_past = call.step(op.past), position = n_past + t;
  const uint64_t q_stride = op.heads * s.head_size, kv_stride = s.n_kv_heads * s.head_size;
  const uint64_t n_valid = op.past ? std::min(n_past + s.n_queries, s.n_keys) : s.n_keys;
  const uint64_t row = (b * s.n_queries + t) * q_stride + h * s.head_size;
  const uint64_t keys_at =
      (s.shared_keys ? 0 : b * s.n_keys * kv_stride) + h / (op.heads / s.n_kv_heads) * s.head_size;
  const double factor = op.scale != 0 ? double(op.scale) : double(float(1 / std::sqrt(double(s.head_size))));
  weight.assign(s.n_keys, 0);
  const auto sees = [&](uint64_t i) {
    if (i >= n_valid || (op.causal && i > position)) return false;
    if (op.window > 0 && i + op.window <= position) return false;
    if (!op.mask) return true;
    const HostTensor &mask = call.in(op.mask);
    return mask.i[(mask.type.shape.rank() == 2 ? b * s.n_keys : 0) + i] != 0;
  };
  double largest = -INFINITY, sum = 0;
  for (uint64_t i = 0; i < s.n_keys; ++i) {
    if (!sees(i)) continue;
    double dot = 0;
    for (uint64_t j = 0; j < s.head_size; ++j)
      dot += double(queries.f[row + j]) * double(keys.f[keys_at + i * kv_stride + j]);
    weight[i] = dot * factor;
    if (op.bias) {
      const HostTensor &bias = call.in(op.bias);
      const auto length = int64_t(bias.type.shape[1]);
      const int64_t distance =
          std::clamp(int64_t(i) - int64_t(position) + length / 2, int64_t(0), length - 1);
      weight[i] += double(bias.f[h * uint64_t(length) + uint64_t(distance)]);
    }
    largest = std::max(largest, weight[i]);
  }
  for (uint64_t i = 0; i < s.n_keys; ++i)
    if (sees(i)) sum += weight[i] = std::exp(weight[i] - largest);
  for (double &w : weight)
    if (sum > 0) w /= sum;
}

} // namespace fovea
