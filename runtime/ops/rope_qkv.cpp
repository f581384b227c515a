#include "ops/rope_qkv.h"

#include "graph/store_q8.h"
#include "ops/map.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fovea {
namespace {

// Heads that one invocation moves: kHeads of shaders/rope_qkv.comp.
constexpr uint64_t kHeadsAtOnce = 4;
constexpr uint64_t kAlignment = 256; // of what is bound

void check_state(const Types &t, Value state, const char *operand, const Shape &rows) {
  const auto &[shape, encoding] = t[state];
  if (!t.is_state(state))
    fail(ErrorCode::InvalidGraph, operand, " '", t.name(state), "' is written and must be a state");
  if (encoding != Encoding::F32 && encoding != Encoding::F16 && encoding != Encoding::Q8)
    fail(ErrorCode::InvalidGraph, operand, " '", t.name(state), "' is ", encoding,
         ", it must be f32, f16 or q8");
  if (shape.rank() != 3 || shape[0] != rows[0] || shape[1] < rows[1] || shape[2] != rows[2])
    fail(ErrorCode::InvalidGraph, "rows ", rows, " do not fit ", operand, " '", t.name(state), "' ", shape);
  require_indexable(shape, operand);
}

/// How the kernel goes through a head.
struct Layout {
  bool quads;
  uint64_t n_units; // of a head
};
Layout layout_of(const DeviceCaps &caps, RopePairs pairs, uint64_t head_size, uint64_t n_frequencies) {
  if (head_size % 4 != 0 || n_frequencies % 4 != 0 ||
      caps.disabled_kernels.count(uint32_t(KernelId::rope_qkv_quads)))
    return {false, head_size / 2};
  return {true, (pairs == RopePairs::Neighbours ? head_size : head_size - n_frequencies) / 4};
}

} // namespace

RopeQkv::Sizes RopeQkv::sizes(const Shape &x_shape) const {
  const uint64_t h = heads, g = kv_heads ? kv_heads : heads;
  return {x_shape[0], x_shape[1], h, g, x_shape[2] / (h + (v ? 2 : 1) * g)};
}

TensorType RopeQkv::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x);
  if (in.rank() != 3 || heads == 0)
    fail(ErrorCode::InvalidGraph, "x ", in, " is not rows [B, T, D] of ", heads, " heads");
  const Sizes s = sizes(in);
  const uint64_t n_heads = s.heads + (v ? 2 : 1) * s.kv_heads;
  if (in[2] % n_heads != 0 || s.head_size % 2 != 0)
    fail(ErrorCode::InvalidGraph, "x ", in, " is not rows of ", n_heads, " heads of even length");
  require_indexable(in, "x");
  t.require(frequencies, "frequencies", Encoding::F32);
  const Shape &table = t.shape(frequencies);
  if (table.rank() != 1 || table[0] > s.head_size / 2)
    fail(ErrorCode::InvalidGraph, "frequencies ", table, " do not fit heads of ", s.head_size);
  const Shape rows{s.n_batch, s.n_rows, s.kv_heads * s.head_size};
  check_state(t, k, "k", rows);
  if (v) {
    check_state(t, v, "v", rows);
    t.require(v, "v", t.encoding(k), t.shape(k));
    if (v == k) fail(ErrorCode::InvalidGraph, "k and v are both '", t.name(k), "'");
  }
  if (!std::isfinite(scale)) fail(ErrorCode::InvalidGraph, "scale is ", scale);
  return {{s.n_batch, s.n_rows, s.heads * s.head_size}, Encoding::F32};
}

void RopeQkv::lower(Lowering &l) const {
  const Shape &in = l.shape(x);
  const Sizes s = sizes(in);
  const TensorType rows{{s.n_batch, s.n_rows, s.kv_heads * s.head_size}, Encoding::F32};
  Target to_k = l.state_rows(k, at, s.n_rows), to_v = v ? l.state_rows(v, at, s.n_rows) : Target{};
  const Target k_state = to_k, v_state = to_v;
  const bool by_groups =
      k_state.type.encoding == Encoding::Q8; // 32 elements share a scale: not in the kernel
  if (by_groups) {
    const uint64_t bytes = align_up(rows.bytes(), kAlignment);
    BufferRef both = l.temporary(v ? 2 * bytes : bytes);
    both.bytes = rows.bytes();
    to_k = {both, rows, kNoStep, s.n_rows, false};
    both.offset = bytes;
    to_v = {both, rows, kNoStep, s.n_rows, false};
  }

  const uint64_t n_frequencies = l.shape(frequencies)[0];
  const Layout layout = layout_of(l.caps(), pairs, s.head_size, n_frequencies);
  RopeQkvParams p{};
  p.n_rows = uint32_t(in.rows());
  p.batch_rows = uint32_t(s.n_rows);
  p.row_length = uint32_t(in.row());
  p.n_heads = uint32_t(s.heads);
  p.n_kv_heads = uint32_t(s.kv_heads);
  p.head_size = uint32_t(s.head_size);
  p.n_frequencies = uint32_t(n_frequencies);
  p.capacity = uint32_t(to_k.batch_rows);
  p.at = l.step(at);
  p.row_at = to_k.at;
  p.scale = scale;
  const auto run = [&](bool with_qk, bool with_v) {
    const uint64_t kv_groups = div_up(s.kv_heads, kHeadsAtOnce);
    const uint64_t q = with_qk ? div_up(s.heads, kHeadsAtOnce) : 0, k_groups = with_qk ? kv_groups : 0,
                   v_groups = with_v ? kv_groups : 0;
    const uint64_t n_heads = (with_qk ? s.heads + s.kv_heads : 0) + (with_v ? s.kv_heads : 0);
    const uint64_t n = in.rows() * layout.n_units * (q + k_groups + v_groups);
    const KernelChoice choice =
        map_kernel(l.caps(), n, layout.quads ? KernelId::rope_qkv_quads : KernelId::rope_qkv,
                   {pairs == RopePairs::Neighbours, to_k.type.encoding == Encoding::F16,
                    uint32_t(layout.n_units), uint32_t(q), uint32_t(k_groups), uint32_t(v_groups)});
    BoundRef states{3, with_qk ? to_k.ref : to_v.ref, Access::Write};
    const auto word = [](size_t offset) { return uint32_t(offset / 4); };
    if (with_qk && with_v)
      states.joined = JoinedRef{to_v.ref, word(offsetof(RopeQkvParams, k_offset)),
                                word(offsetof(RopeQkvParams, v_offset)), layout.quads ? 8u : 4u};
    l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
               {l.read(0, x), l.read(1, frequencies), l.write(2), states},
               10 * in.rows() * n_heads * s.head_size);
  };
  // A kernel may count on four bindings, so k and v share one, unless they lie too far apart for that.
  if (v && !l.can_join(to_k.ref, to_v.ref)) {
    run(true, false);
    run(false, true);
  } else {
    run(true, bool(v));
  }
  if (!by_groups) return;
  store_q8(l, to_k.ref, rows.shape, k_state);
  if (v) store_q8(l, to_v.ref, rows.shape, v_state);
}

void RopeQkv::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &table = call.in(frequencies);
  HostTensor &out = call.out();
  const Sizes s = sizes(in.type.shape);
  HostTensor keys({{s.n_batch, s.n_rows, s.kv_heads * s.head_size}, Encoding::F32}), values(keys.type);
  const float *from = in.f.data();
  float *q_at = out.f.data(), *k_at = keys.f.data(), *v_at = values.f.data();
  for (uint64_t row = 0; row < s.n_batch * s.n_rows; ++row) {
    const uint32_t position = call.step(at) + uint32_t(row % s.n_rows);
    const auto turn = [&](float *&to, uint64_t n_heads) {
      for (uint64_t h = 0; h < n_heads; ++h, from += s.head_size, to += s.head_size)
        turn_head({from, s.head_size}, position, table.f, pairs, scale, to);
    };
    turn(q_at, s.heads);
    turn(k_at, s.kv_heads);
    if (!v) continue;
    v_at = std::copy_n(from, s.kv_heads * s.head_size, v_at);
    from += s.kv_heads * s.head_size;
  }
  call.store(k, keys, call.step(at));
  if (v) call.store(v, values, call.step(at));
}

void RopeQkv::work(OpWork &work) const {
  // Of a state the rows that are written.
  const double part = double(work.shape(x)[1]) / double(work.shape(k)[1]);
  work.reads(k, part);
  if (v) work.reads(v, part);
}

} // namespace fovea
