#include "converter/architectures/convolution.h"

#include "base/checked.h"
#include "ops/channels_last.h"

#include <cmath>

namespace fovea {
namespace {

using Inputs = std::span<const std::vector<float>>;

// A batch norm in evaluation is x * factor + (shift - mean * factor).
struct Fold {
  bool bias = false, norm = false;
  double eps = 0;
  double factor(Inputs in, size_t n) const {
    return norm ? double(in[1 + bias][n]) / std::sqrt(double(in[4 + bias][n]) + eps) : 1.0;
  }
  float shift(Inputs in, size_t n) const {
    const double b = bias ? double(in[1][n]) : 0.0;
    return float(norm ? (b - double(in[3 + bias][n])) * factor(in, n) + double(in[2 + bias][n]) : b);
  }
};

std::vector<SourceInput> inputs_of(const ConvTensors &c) {
  std::vector<SourceInput> inputs = {{c.from + ".weight", {c.n, c.channels, c.kernel_h, c.kernel_w}}};
  if (c.bias) inputs.push_back({c.from + ".bias", {c.n}});
  if (!c.norm.empty())
    for (const char *part : {".weight", ".bias", ".running_mean", ".running_var"})
      inputs.push_back({c.norm + part, {c.n}});
  return inputs;
}

void add_shift(ModelPlan &plan, const ConvTensors &c, const Fold &fold) {
  if (!c.bias && c.norm.empty()) return;
  OutputTensor b{c.to + ".b", {c.n}, TensorClass::Exact, inputs_of(c), {}};
  b.combine = [fold](Inputs in) {
    std::vector<float> out(in[1].size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = fold.shift(in, i);
    return out;
  };
  plan.tensors.push_back(std::move(b));
}

// Elements of K that a kernel loads at once, a scale's group included.
uint64_t quantum(TensorClass tensor_class, Encoding encoding) {
  if (encoding == Encoding::F32) return 4;
  return encoding == Encoding::F16 || tensor_class == TensorClass::Sensitive ? 8 : 32;
}

} // namespace

void add_conv2d(ModelPlan &plan, const ConvTensors &c, Encoding encoding) {
  const Fold fold{c.bias, !c.norm.empty(), double(c.eps)};
  const uint64_t taps = c.kernel_h * c.kernel_w, wide = c.map_channels ? c.map_channels : c.channels;
  // 1 x 1 convolutions stay what they are: linear layers.
  const uint64_t k = taps == 1 ? wide : align_up(taps * wide, quantum(c.tensor_class, encoding));
  OutputTensor w{c.to + ".w", {c.n, k}, c.tensor_class, inputs_of(c), {}};
  w.combine = [fold, k, taps, wide, n = c.n, channels = c.channels](Inputs in) {
    std::vector<float> out(n * k);
    for (uint64_t row = 0; row < n; ++row) {
      const double factor = fold.factor(in, row);
      for (uint64_t ch = 0; ch < channels; ++ch)
        for (uint64_t tap = 0; tap < taps; ++tap)
          out[row * k + tap * wide + ch] = float(double(in[0][(row * channels + ch) * taps + tap]) * factor);
    }
    return out;
  };
  plan.tensors.push_back(std::move(w));
  add_shift(plan, c, fold);
}

void add_depthwise_conv2d(ModelPlan &plan, const ConvTensors &c) {
  const Fold fold{c.bias, !c.norm.empty(), double(c.eps)};
  const uint64_t taps = c.kernel_h * c.kernel_w;
  // A few taps a channel: rounded to f16 at most.
  OutputTensor w{c.to + ".w", {taps, c.n}, TensorClass::Sensitive, inputs_of(c), {}};
  w.combine = [fold, taps, n = c.n](Inputs in) {
    std::vector<float> out(n * taps);
    for (uint64_t ch = 0; ch < n; ++ch)
      for (uint64_t tap = 0; tap < taps; ++tap)
        out[tap * n + ch] = float(double(in[0][ch * taps + tap]) * fold.factor(in, ch));
    return out;
  };
  plan.tensors.push_back(std::move(w));
  add_shift(plan, c, fold);
}

Value add_image_input(Graph &g, uint32_t channels) {
  const Value pixels = g.input("pixels", Encoding::F32, {"B", channels, "H", "W"});
  return g.add("image", ChannelsLast{pixels, channels < kImageChannels ? kImageChannels : 0});
}

} // namespace fovea
