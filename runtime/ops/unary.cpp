#include "ops/unary.h"

#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

double apply(UnaryFunction f, double x) {
  switch (f) {
  case UnaryFunction::None: return x;
  case UnaryFunction::Gelu: return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
  case UnaryFunction::Relu: return std::max(x, 0.0);
  case UnaryFunction::Silu: return x / (1 + std::exp(-x));
  case UnaryFunction::GeluTanh:
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
  case UnaryFunction::QuickGelu: return x / (1 + std::exp(-1.702 * x));
  case UnaryFunction::Tanh: return std::tanh(x);
  case UnaryFunction::Sigmoid: return 1 / (1 + std::exp(-x));
  case UnaryFunction::Relu6: return std::clamp(x, 0.0, 6.0);
  case UnaryFunction::HardSwish: return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
  case UnaryFunction::HardSigmoid: return std::clamp(x / 6 + 0.5, 0.0, 1.0);
  case UnaryFunction::Exp: return std::exp(x);
  case UnaryFunction::Log: return std::log(x);
  case UnaryFunction::Log10: return std::log10(x);
  case UnaryFunction::Sqrt: return std::sqrt(x);
  case UnaryFunction::Neg: return -x;
  case UnaryFunction::Abs: return std::fabs(x);
  }
  fail(ErrorCode::Internal, "unary function ", uint32_t(f));
}

} // namespace

TensorType Unary::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  require_indexable(t.shape(x), "x");
  return t[x];
}

void Unary::lower(Lowering &l) const {
  const uint64_t n = l.shape(x).elements();
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::unary, {uint32_t(f)});
  l.dispatch(choice.kernel, choice.spec, push_words(UnaryParams{uint32_t(n), min, scale}), choice.groups,
             {l.read(0, x), l.write(1)}, 10 * n);
}

void Unary::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  for (size_t i = 0; i < in.f.size(); ++i) out.f[i] = float(double(scale) * apply(f, std::max(in.f[i], min)));
}

} // namespace fovea
