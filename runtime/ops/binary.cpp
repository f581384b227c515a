#include "ops/binary.h"

#include "ops/map.h"

#include <algorithm>

namespace fovea {
namespace {

bool is_trailing(std::span<const uint64_t> tail, std::span<const uint64_t> all) {
  while (tail.size() > 1 && tail.size() <= all.size() && tail[0] == 1) tail = tail.subspan(1);
  return tail.size() <= all.size() && std::equal(tail.rbegin(), tail.rend(), all.rbegin());
}

double apply(BinaryFunction f, double a, double b) {
  switch (f) {
  case BinaryFunction::Add: return a + b;
  case BinaryFunction::Sub: return a - b;
  case BinaryFunction::Mul: return a * b;
  case BinaryFunction::Max: return std::max(a, b);
  case BinaryFunction::Min: return std::min(a, b);
  }
  fail(ErrorCode::Internal, "binary function ", uint32_t(f));
}

} // namespace

TensorType Binary::infer(const Types &t) const {
  t.require(a, "a", Encoding::F32);
  t.require(b, "b", Encoding::F32);
  require_indexable(t.shape(a), "a");
  if (!is_trailing(t.shape(b).dims(), t.shape(a).dims()))
    fail(ErrorCode::InvalidGraph, "b '", t.name(b), "' ", t.shape(b), " is neither of a's shape ", t.shape(a),
         " nor its trailing dimensions");
  return t[a];
}

void Binary::lower(Lowering &l) const {
  const uint64_t n = l.shape(a).elements();
  const uint64_t n_b = l.shape(b).elements();
  const BinaryParams params{uint32_t(n), uint32_t(n_b)};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::binary, {uint32_t(f), n_b < n});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, a), l.read(1, b), l.write(2)}, n);
}

void Binary::reference(ReferenceCall &call) const {
  const HostTensor &left = call.in(a), &right = call.in(b);
  HostTensor &out = call.out();
  for (size_t i = 0; i < left.f.size(); ++i)
    out.f[i] = float(apply(f, left.f[i], right.f[i % right.f.size()]));
}

} // namespace fovea
