// MobileNetV2 (Sandler et al., "Inverted Residuals and Linear Bottlenecks", 2018): image classifiers of any
// width and output stride, in Hugging Face folders; the model without a head gives its pooled features.
#include "converter/architectures/architecture.h"

#include "converter/architectures/activation.h"
#include "converter/architectures/convolution.h"
#include "converter/architectures/image_classifier.h"
#include "converter/features/image_processor.h"
#include "ops/depthwise_conv2d.h"

#include <cmath>

namespace fovea {
namespace {

struct Sizes {
  double multiplier = 1, expand = 6;
  uint64_t divisor = 8, least = 8;
  uint32_t channels = 3, output_stride = 32;
  bool fine_output = true, stem_expands = true, same_padding = true;
  Activation act = Activation::Relu6;
  float eps = 0.001f;

  // Rounded to a multiple of the divisor, but not down by more than a tenth.
  uint64_t rounded(double value) const {
    const double whole = std::nearbyint(value); // halves to even, as Python rounds
    uint64_t r = std::max<uint64_t>(least, uint64_t(whole + double(divisor) / 2) / divisor * divisor);
    if (double(r) < 0.9 * whole) r += divisor;
    return r;
  }
  uint64_t width(uint64_t of) const { return rounded(double(of) * multiplier); }
};

Sizes read_sizes(const Config &c) {
  Sizes s;
  s.multiplier = c.find_number("depth_multiplier").value_or(1.0);
  s.expand = c.find_number("expand_ratio").value_or(6.0);
  s.divisor = c.find_u32("depth_divisible_by").value_or(8);
  s.least = c.find_u32("min_depth").value_or(8);
  s.channels = c.find_u32("num_channels").value_or(3);
  s.output_stride = c.find_u32("output_stride").value_or(32);
  s.fine_output = c.find_bool("finegrained_output").value_or(true);
  s.stem_expands = c.find_bool("first_layer_is_expansion").value_or(true);
  s.same_padding = c.find_bool("tf_padding").value_or(true);
  s.act = read_activation(c, "hidden_act", "relu6");
  s.eps = float(c.find_number("layer_norm_eps").value_or(0.001));
  const auto check = [&](const char *key, double value, double low, double high) {
    if (!(value >= low && value <= high))
      fail(ErrorCode::InvalidFile, c.path(), ": ", key, " is ", value, ", expected ", low, " to ", high);
  };
  check("depth_multiplier", s.multiplier, 0.01, 64);
  check("expand_ratio", s.expand, 0.01, 64);
  check("depth_divisible_by", double(s.divisor), 1, 4096);
  check("min_depth", double(s.least), 1, 4096);
  check("num_channels", s.channels, 1, 1024);
  check("output_stride", s.output_stride, 1, 1024);
  check("layer_norm_eps", double(s.eps), 0, 1);
  return s;
}

// Appends layers to the graph and their tensors to the plan, in one go.
class Builder {
public:
  Builder(const Sizes &s, const std::string &prefix, Encoding encoding, ModelPlan &plan)
      : g("forward"), s_(s), prefix_(prefix), encoding_(encoding), plan_(plan) {}

  Value dense(Value x, const std::string &at, uint64_t n, uint64_t k, uint64_t kernel, uint32_t stride,
              bool act, Value residual = {}) {
    ConvTensors t = tensors(at, n, k, kernel);
    if (kernel > 1) {
      t.tensor_class = TensorClass::Sensitive;
      if (k < kImageChannels) t.map_channels = kImageChannels;
    }
    add_conv2d(plan_, t, encoding_);
    Conv2d op{x, g.weight(t.to + ".w"), g.weight(t.to + ".b"), residual, window(kernel, stride, 1)};
    if (act) op.act = s_.act;
    return g.add("x", std::move(op));
  }
  Value depthwise(Value x, const std::string &at, uint64_t n, uint32_t stride, uint32_t dilation) {
    const ConvTensors t = tensors(at, n, 1, 3);
    add_depthwise_conv2d(plan_, t);
    return g.add("x", DepthwiseConv2d{x, g.weight(t.to + ".w"), g.weight(t.to + ".b"),
                                      window(3, stride, dilation), s_.act});
  }
  Graph g;

private:
  ConvTensors tensors(const std::string &at, uint64_t n, uint64_t k, uint64_t kernel) const {
    ConvTensors t;
    t.to = at;
    t.from = prefix_ + at + ".convolution";
    t.norm = prefix_ + at + ".normalization";
    t.n = n;
    t.channels = k;
    t.kernel_h = t.kernel_w = kernel;
    t.eps = s_.eps;
    return t;
  }
  Window2d window(uint64_t kernel, uint32_t stride, uint32_t dilation) const {
    Window2d w;
    w.kernel = uint32_t(kernel);
    w.stride = stride;
    w.dilation = dilation;
    if (kernel > 1) {
      w.same = s_.same_padding;
      w.padding = s_.same_padding ? 0 : uint32_t(kernel / 2) * dilation;
    }
    return w;
  }
  const Sizes &s_;
  std::string prefix_;
  Encoding encoding_;
  ModelPlan &plan_;
};

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const Sizes s = read_sizes(c);
  const char *prefix = source.find("mobilenet_v2.conv_1x1.convolution.weight") ? "mobilenet_v2." : "";
  static constexpr uint32_t kWidths[] = {16, 24, 24, 32, 32,  32,  64,  64, 64,
                                         64, 96, 96, 96, 160, 160, 160, 320};
  static constexpr uint32_t kStrides[] = {2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};

  ModelPlan plan;
  plan.architecture = "mobilenet_v2";
  Builder b(s, prefix, encoding, plan);
  const uint64_t stem = s.width(32);
  uint64_t in = s.width(kWidths[0]);
  Value x = add_image_input(b.g, s.channels);
  x = b.dense(x, "conv_stem.first_conv", stem, s.channels, 3, 2, true);
  if (!s.stem_expands) x = b.dense(x, "conv_stem.expand_1x1", stem, stem, 1, 1, true);
  x = b.depthwise(x, "conv_stem.conv_3x3", stem, 1, 1);
  x = b.dense(x, "conv_stem.reduce_1x1", in, stem, 1, 1, false);

  uint32_t so_far = 2, dilation = 1; // once the map is as small as it may get, taps spread instead
  for (size_t i = 0; i < std::size(kStrides); ++i) {
    const bool spread = so_far == s.output_stride;
    const uint32_t stride = spread ? 1 : kStrides[i], step = spread ? dilation : 1;
    if (spread)
      dilation *= kStrides[i];
    else
      so_far *= stride;
    const uint64_t out = s.width(kWidths[i + 1]), wide = s.rounded(double(in) * s.expand);
    const std::string at = concat("layer.", i, ".");
    const Value residual = stride == 1 && in == out ? x : Value{};
    x = b.dense(x, at + "expand_1x1", wide, in, 1, 1, true);
    x = b.depthwise(x, at + "conv_3x3", wide, stride, step);
    x = b.dense(x, at + "reduce_1x1", out, wide, 1, 1, false, residual);
    in = out;
  }
  const uint64_t width = s.fine_output && s.multiplier < 1 ? 1280 : s.width(1280);
  x = b.dense(x, "conv_1x1", width, in, 1, 1, true);

  const uint32_t n_classes = classes_of(source, "classifier.weight", width);
  add_classifier_head(b.g, x, n_classes);
  add_classifier_metadata(plan, source, c, n_classes);
  add_preprocess(
      read_image_processor(source, ImageProcessorType::MobileNet, c.find_u32("image_size").value_or(224)),
      plan);
  plan.graphs.emplace_back(b.g.name(), print_graph(b.g));
  add_classifier_tensors(plan, "classifier", n_classes, width);
  plan.ignored.push_back(kBatchCounters);
  return plan;
}

} // namespace

extern const Architecture kMobilenetV2;
const Architecture kMobilenetV2 = {"mobilenet_v2", {"mobilenet_v2"}, build};

} // namespace fovea
