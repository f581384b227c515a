#include "ops/group_norm.h"

#include "ops/linear_lowering.h"
#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

constexpr uint64_t kChunkRows = 128; // positions of a channel that one invocation adds up

/// Whatever the rank: [B, T, C].
struct Sizes {
  uint64_t batch, rows, channels;
};
Sizes sizes_of(const Shape &x) { return {x[0], x.elements() / x[0] / x.row(), x.row()}; }

} // namespace

TensorType GroupNorm::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &s = t.shape(x);
  if (s.rank() < 2) fail(ErrorCode::InvalidGraph, "x must be [B, .., C], it is ", s);
  require_indexable(s, "x");
  if (groups == 0 || s.row() % groups != 0)
    fail(ErrorCode::InvalidGraph, "groups=", groups, " does not divide the ", s.row(), " channels of x");
  if (bool(gamma) != bool(beta)) fail(ErrorCode::InvalidGraph, "gamma and beta come together");
  if (gamma) t.require(gamma, "gamma", Encoding::F32, {s.row()});
  if (beta) t.require(beta, "beta", Encoding::F32, {s.row()});
  if (!(eps > 0)) fail(ErrorCode::InvalidGraph, "eps must be positive, it is ", eps);
  return t[x];
}

void GroupNorm::lower(Lowering &l) const {
  const auto [batch, rows, channels] = sizes_of(l.shape(x));
  const uint64_t n = batch * rows * channels, chunks = div_up(rows, kChunkRows);
  const BufferRef moments = l.temporary(batch * chunks * channels * 8),
                  scales = l.temporary(batch * channels * 8);
  GroupNormParams p{};
  p.n_batch = uint32_t(batch);
  p.n_rows = uint32_t(rows);
  p.n_channels = uint32_t(channels);
  p.n_chunks = uint32_t(chunks);
  p.chunk_rows = uint32_t(kChunkRows);
  p.group_channels = uint32_t(channels / groups);
  p.epsilon = eps;

  const auto pass = [&](KernelId kernel, uint64_t n_elements, std::vector<uint32_t> spec, uint64_t flops,
                        std::vector<BoundRef> bindings) {
    KernelChoice choice = select_map_kernel(l.caps(), n_elements, kernel);
    choice.spec.insert(choice.spec.end(), spec.begin(), spec.end());
    l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups, std::move(bindings), flops);
  };
  pass(KernelId::group_norm_moments, batch * chunks * channels, {}, 4 * n,
       {l.read(0, x), {1, moments, Access::Write}});
  const BoundRef unused{1, moments, Access::Read};
  pass(KernelId::group_norm_scales, batch * groups, {bool(gamma)}, 8 * batch * chunks * channels,
       {{0, moments, Access::Read},
        gamma ? l.read(1, gamma) : unused,
        gamma ? l.read(2, beta) : BoundRef{2, moments, Access::Read},
        {3, scales, Access::Write}});
  pass(KernelId::group_norm, div_up(n, kMapRun), {uint32_t(act)}, 2 * n,
       {l.read(0, x), {1, scales, Access::Read}, l.write(2)});
}

void GroupNorm::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  const Sizes sizes = sizes_of(in.type.shape);
  const uint64_t rows = sizes.rows, channels = sizes.channels, width = channels / groups;
  for (uint64_t b = 0; b < sizes.batch; ++b)
    for (uint64_t g = 0; g < groups; ++g) {
      const auto each = [&](auto body) {
        for (uint64_t t = 0; t < rows; ++t)
          for (uint64_t c = g * width; c < (g + 1) * width; ++c) body((b * rows + t) * channels + c, c);
      };
      double sum = 0, squares = 0;
      each([&](uint64_t i, uint64_t) { sum += in.f[i]; });
      const double mean = sum / double(rows * width);
      each([&](uint64_t i, uint64_t) { squares += (in.f[i] - mean) * (in.f[i] - mean); });
      const double inverse = 1 / std::sqrt(squares / double(rows * width) + eps);
      each([&](uint64_t i, uint64_t c) {
        const double factor = gamma ? double(call.in(gamma).f[c]) : 1,
                     offset = gamma ? double(call.in(beta).f[c]) : 0;
        call.out().f[i] = float(activate(act, (in.f[i] - mean) * inverse * factor + offset));
      });
    }
}

} // namespace fovea
