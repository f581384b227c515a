#include "ops/embed.h"

#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

KernelId kernel_of(Encoding encoding) {
  switch (encoding) {
  case Encoding::F32: return KernelId::embed_f32;
  case Encoding::F16: return KernelId::embed_f16;
  case Encoding::Q8: return KernelId::embed_q8;
  case Encoding::Q4: return KernelId::embed_q4;
  case Encoding::I32: break;
  }
  fail(ErrorCode::InvalidGraph, "a table cannot be ", encoding);
}

// The table's planes behind one binding, if the device can bind that much.
std::optional<WeightWindow> whole_table(const Lowering &l, const WeightInfo &w) {
  const uint64_t end = w.offset + plane_bytes(w.type.shape, w.type.encoding);
  if (!is_quantized(w.type.encoding)) return l.window(w.offset, end);
  return l.window(std::min(w.offset, w.scale_offset),
                  std::max(end, w.scale_offset + scale_bytes(w.type.shape, w.type.encoding)));
}

} // namespace

TensorType Embed::infer(const Types &t) const {
  t.require(tokens, "tokens", Encoding::I32);
  const Shape &ids = t.shape(tokens), &rows = t.shape(table);
  if (ids.rank() < 1 || ids.rank() >= kMaxRank)
    fail(ErrorCode::InvalidGraph, "tokens must have rank 1 to 3, they are ", ids);
  if (rows.rank() != 2 || t.encoding(table) == Encoding::I32)
    fail(ErrorCode::InvalidGraph, "table '", t.name(table), "' must be [V, D] of numbers, it is ", t[table]);
  require_indexable(rows, "table");
  if (!std::isfinite(scale)) fail(ErrorCode::InvalidGraph, "scale is ", scale);
  if (positions) {
    t.require(positions, "positions", Encoding::F32);
    const Shape &places = t.shape(positions);
    if (places.rank() != 2 || places[1] != rows[1])
      fail(ErrorCode::InvalidGraph, "positions '", t.name(positions), "' must be [C, ", rows[1],
           "], they are ", places);
    require_indexable(places, "positions");
    if (!at && ids.row() > places[0])
      fail(ErrorCode::InvalidGraph, ids.row(), " tokens, but '", t.name(positions), "' has only ", places[0],
           " positions: give fewer");
  }
  std::vector<uint64_t> dims(ids.dims().begin(), ids.dims().end());
  dims.push_back(rows[1]);
  const Shape result{std::span<const uint64_t>(dims)};
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void Embed::lower(Lowering &l) const {
  const WeightInfo &w = l.weight(table);
  const Shape &ids = l.shape(tokens);
  const uint64_t n_tokens = ids.elements(), width = w.type.shape[1], n_rows = w.type.shape[0];
  const Encoding encoding = w.type.encoding;
  EmbedParams params{};
  params.n_tokens = uint32_t(n_tokens);
  params.k = uint32_t(width);
  params.n_rows = params.last_row = uint32_t(n_rows);
  params.batch_tokens = uint32_t(ids.row());
  params.n_positions = positions ? uint32_t(l.shape(positions)[0]) : 1;
  params.at = l.step(at);
  params.scale = scale;
  const uint64_t n_fours = n_tokens * div_up(width, 4), flops = n_tokens * width;
  const auto launch = [&](bool scales_in_aux, bool with_positions, BoundRef weights, BoundRef aux) {
    const KernelChoice choice =
        map_kernel(l.caps(), n_fours, kernel_of(encoding), {scales_in_aux, with_positions});
    l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
               {l.read(0, tokens), std::move(weights), std::move(aux), l.write(3)}, flops);
  };

  if (const auto window = whole_table(l, w)) {
    params.w_offset = uint32_t(window->offset_of(w.offset) / 4);
    if (is_quantized(encoding)) params.s_offset = uint32_t(window->offset_of(w.scale_offset) / 2);
    const BoundRef weights{1, window->ref, Access::Read};
    launch(false, bool(positions), weights,
           positions ? l.read(2, positions) : BoundRef{2, window->ref, Access::Read});
    return;
  }

  // Chunks of rows: each dispatch writes the tokens whose id lies in its chunk. Even numbers of rows begin at
  // whole words in every encoding.
  const uint64_t row_bits = width * info(encoding).bits;
  const uint64_t room = l.window_bytes();
  const uint64_t chunk = align_down(room * 8 / row_bits, 2);
  if (chunk == 0)
    fail(ErrorCode::Unsupported, "two rows of table [", n_rows, ", ", width,
         "] exceed what the device can bind");
  for (uint64_t row = 0; row < n_rows; row += chunk) {
    const uint64_t end = std::min(row + chunk, n_rows);
    const uint64_t q_begin = w.offset + row * row_bits / 8;
    const auto q = l.window(q_begin, w.offset + div_up(end * row_bits, 8));
    if (!q) fail(ErrorCode::Internal, "a chunk of rows does not fit");
    params.first_row = uint32_t(row);
    params.last_row = uint32_t(end);
    params.w_offset = uint32_t(q->offset_of(q_begin) / 4);
    BoundRef aux{2, q->ref, Access::Read};
    if (is_quantized(encoding)) {
      const uint64_t row_scales = width / info(encoding).group_size * info(encoding).scale_bytes;
      const uint64_t s_begin = w.scale_offset + row * row_scales;
      const auto s = l.window(s_begin, w.scale_offset + end * row_scales);
      if (!s) fail(ErrorCode::Internal, "the scales of a chunk of rows do not fit");
      params.s_offset = uint32_t(s->offset_of(s_begin) / 2);
      aux.ref = s->ref;
    }
    launch(is_quantized(encoding), false, {1, q->ref, Access::Read}, aux);
  }
  if (!positions) return;
  const EmbedPositionsParams places{uint32_t(n_tokens * width), uint32_t(width), params.batch_tokens,
                                    params.n_positions, params.at};
  const KernelChoice choice = map_kernel(l.caps(), n_tokens * width, KernelId::embed_positions);
  l.dispatch(choice.kernel, choice.spec, push_words(places), choice.groups,
             {l.read(0, positions), {1, l.target().ref, Access::ReadWrite}}, flops);
}

void Embed::reference(ReferenceCall &call) const {
  const HostTensor &ids = call.in(tokens), &rows = call.in(table);
  HostTensor &out = call.out();
  const size_t width = rows.type.shape[1];
  const auto n_rows = int64_t(rows.type.shape[0]);
  for (size_t t = 0; t < ids.i.size(); ++t) {
    const auto row = size_t(std::clamp<int64_t>(ids.i[t], 0, n_rows - 1));
    const float *place = nullptr;
    if (positions) {
      const HostTensor &places = call.in(positions);
      const uint64_t number = uint64_t(call.step(at)) + t % ids.type.shape.row();
      place = &places.f[std::min(number, places.type.shape[0] - 1) * width];
    }
    for (size_t d = 0; d < width; ++d)
      out.f[t * width + d] = scale * rows.f[row * width + d] + (place ? place[d] : 0.0f);
  }
}

} // namespace fovea
