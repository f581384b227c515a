#include "ops/normalize_image.h"

#include "ops/map.h"

namespace fovea {

TensorType NormalizeImage::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  t.require(scale, "scale", Encoding::F32, {3});
  t.require(offset, "offset", Encoding::F32, {3});
  const Shape &shape = t.shape(x);
  if (shape.rank() != 3 || shape[2] != 3) fail(ErrorCode::InvalidGraph, "x must be [H, W, 3], it is ", shape);
  require_indexable(shape, "x");
  return {Shape{1, 3, shape[0], shape[1]}, Encoding::F32};
}

void NormalizeImage::lower(Lowering &l) const {
  const uint64_t n = l.shape(x).elements();
  const NormalizeImageParams params{uint32_t(n), uint32_t(n / 3)};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::normalize_image);
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, x), l.read(1, scale), l.read(2, offset), l.write(3)}, 2 * n);
}

void NormalizeImage::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &a = call.in(scale), &b = call.in(offset);
  HostTensor &out = call.out();
  const size_t n_pixels = in.f.size() / 3;
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < n_pixels; ++i)
      out.f[c * n_pixels + i] = float(double(in.f[i * 3 + c]) * a.f[c] + b.f[c]);
}

} // namespace fovea
