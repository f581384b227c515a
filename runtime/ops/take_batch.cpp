#include "ops/take_batch.h"

#include "ops/map.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint64_t kMaxInPlace = 32; // batches that an invocation keeps in registers

} // namespace

TensorType TakeBatch::infer(const Types &t) const {
  if (t.encoding(x) != Encoding::F16) t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() != 3) fail(ErrorCode::InvalidGraph, "x must have rank 3, it is ", shape);
  t.require(order, "order", Encoding::I32);
  if (t.shape(order).rank() != 1)
    fail(ErrorCode::InvalidGraph, "order must have rank 1, it is ", t.shape(order));
  const Shape taken = shape.with(0, t.shape(order)[0]);
  if (rows && taken != shape)
    fail(ErrorCode::InvalidGraph, "with rows=", rows.name, " order must have ", shape[0],
         " elements, it has ", taken[0]);
  require_indexable(shape, "x");
  require_indexable(taken, "the result");
  return {taken, Encoding::F32};
}

void TakeBatch::lower(Lowering &l) const {
  if (l.target().is_state) return lower_in_place(l);
  const Shape &from = l.shape(x), &to = l.target().type.shape;
  const uint64_t n = to.elements();
  const TakeBatchParams params{uint32_t(n), uint32_t(from[1]), uint32_t(from[2]), uint32_t(from[0]),
                               l.step(rows)};
  const KernelChoice choice =
      map_kernel(l.caps(), n, KernelId::take_batch, {l.type(x).encoding == Encoding::F16, bool(rows)});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, x), l.read(1, order), l.write(2)}, n);
}

void TakeBatch::lower_in_place(Lowering &l) const {
  const Target &to = l.target();
  const Shape &shape = l.shape(x);
  if (to.ref.id != l.ref(x).id || to.ref.kind != l.ref(x).kind || to.at != kNoStep ||
      l.shape(order)[0] != shape[0])
    fail(ErrorCode::InvalidGraph,
         "a state can take batches only of itself, all of them; use copy for others");
  if (shape[0] > kMaxInPlace)
    fail(ErrorCode::Unsupported, shape[0], " batches are too many to reorder in place, at most ", kMaxInPlace,
         " are possible");
  // Whole words move: rows of a state have even length.
  const uint64_t row_words = to.type.encoding == Encoding::F16 ? shape[2] / 2 : shape[2];
  const uint64_t n = shape[1] * row_words;
  const ReorderParams params{uint32_t(n), uint32_t(row_words), l.step(rows)};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::reorder, {uint32_t(shape[0]), bool(rows)});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {{0, to.ref, Access::ReadWrite}, l.read(1, order)}, n * shape[0]);
}

void TakeBatch::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &numbers = call.in(order);
  HostTensor &out = call.out();
  const Shape &shape = in.type.shape;
  const size_t width = shape[2], size = shape[1] * width;
  const size_t n_taken = rows ? std::min<size_t>(call.step(rows), shape[1]) : shape[1];
  for (size_t b = 0; b < numbers.i.size(); ++b) {
    const auto from = size_t(std::clamp<int64_t>(numbers.i[b], 0, int64_t(shape[0]) - 1));
    std::copy_n(in.f.begin() + std::ptrdiff_t(from * size), n_taken * width,
                out.f.begin() + std::ptrdiff_t(b * size));
    if (n_taken < shape[1]) // only with rows: as many batches as x has
      std::copy_n(in.f.begin() + std::ptrdiff_t(b * size + n_taken * width), size - n_taken * width,
                  out.f.begin() + std::ptrdiff_t(b * size + n_taken * width));
  }
}

} // namespace fovea
