#include "ops/power_spectrum.h"

#include "ops/map.h"

namespace fovea {

TensorType PowerSpectrum::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  require_indexable(shape, "x");
  if (shape.row() % 2 != 0)
    fail(ErrorCode::InvalidGraph,
         "rows of x hold real, then imaginary parts, but their length is odd: ", shape);
  return {shape.with(-1, shape.row() / 2), Encoding::F32};
}

void PowerSpectrum::lower(Lowering &l) const {
  const Shape &to = l.target().type.shape;
  const PowerSpectrumParams params{uint32_t(to.elements()), uint32_t(to.row())};
  const KernelChoice choice = map_kernel(l.caps(), to.elements(), KernelId::power_spectrum);
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups, {l.read(0, x), l.write(1)},
             3 * to.elements());
}

void PowerSpectrum::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const size_t n = out.type.shape.row();
  for (size_t i = 0; i < out.f.size(); ++i) {
    const double re = in.f[i / n * 2 * n + i % n], im = in.f[i / n * 2 * n + n + i % n];
    out.f[i] = float(re * re + im * im);
  }
}

} // namespace fovea
