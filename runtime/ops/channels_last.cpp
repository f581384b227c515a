#include "ops/channels_last.h"

#include "ops/map.h"
#include "ops/transpose.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr uint32_t kMostChannels = 1 << 16;
constexpr uint64_t kFewChannels =
    8; // up to here a position's channels are gathered, above it tiles are turned

} // namespace

TensorType ChannelsLast::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x);
  if (in.rank() != 4) fail(ErrorCode::InvalidGraph, "x must be [B, C, H, W], it is ", in);
  if (channels > kMostChannels)
    fail(ErrorCode::InvalidGraph, "channels=", channels, " is above ", kMostChannels);
  const Shape result{in[0], in[2], in[3], std::max<uint64_t>(in[1], channels)};
  require_indexable(in, "x");
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void ChannelsLast::lower(Lowering &l) const {
  const Shape &in = l.shape(x), &out = l.target().type.shape;
  const uint64_t positions = in[2] * in[3], n = in[0] * positions;
  if (in[1] > kFewChannels && out[3] == in[1]) {
    lower_transpose(l, x, in[0], in[1], positions);
    return;
  }
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::channels_last);
  const ChannelsLastParams params{uint32_t(n), uint32_t(positions), uint32_t(in[1]), uint32_t(out[3])};
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups, {l.read(0, x), l.write(1)},
             out.elements());
}

void ChannelsLast::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const Shape &from = in.type.shape;
  const uint64_t positions = from[2] * from[3], width = out.type.shape[3];
  for (uint64_t b = 0; b < from[0]; ++b)
    for (uint64_t c = 0; c < from[1]; ++c)
      for (uint64_t i = 0; i < positions; ++i)
        out.f[(b * positions + i) * width + c] = in.f[(b * from[1] + c) * positions + i];
}

} // namespace fovea
