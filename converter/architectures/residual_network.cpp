#include "converter/architectures/residual_network.h"

#include "converter/architectures/activation.h"
#include "ops/pool2d.h"

namespace fovea {
namespace {

constexpr uint64_t kMaxWidth = 1 << 16;
constexpr size_t kMaxBlocks = 1024;
constexpr uint64_t kReduction = 4; // of a bottleneck's inner width

std::vector<uint64_t> sizes(const Config &c, const char *key, uint64_t most) {
  std::vector<uint64_t> out;
  for (const int32_t v : c.get_i32s(key)) {
    if (v < 1 || uint64_t(v) > most)
      fail(ErrorCode::InvalidFile, c.path(), ": ", key, " has ", v, ", expected 1 to ", most);
    out.push_back(uint64_t(v));
  }
  if (out.empty()) fail(ErrorCode::InvalidFile, c.path(), ": ", key, " is empty");
  return out;
}

Window2d window(uint64_t kernel, uint32_t stride, uint32_t dilation = 1) {
  Window2d w;
  w.kernel = uint32_t(kernel);
  w.stride = stride;
  w.dilation = kernel == 1 ? 1 : dilation;
  w.padding = uint32_t(kernel / 2) * w.dilation;
  return w;
}

} // namespace

ResidualNetwork ResidualNetwork::from_config(const Config &c, const std::string &prefix, uint32_t n_stages) {
  const auto widths = sizes(c, "hidden_sizes", kMaxWidth), depths = sizes(c, "depths", kMaxBlocks);
  if (widths.size() != depths.size() || widths.size() > 16)
    fail(ErrorCode::InvalidFile, c.path(), ": ", widths.size(), " hidden_sizes and ", depths.size(),
         " depths");
  const std::string type = c.find_string("layer_type").value_or("bottleneck");
  if (type != "bottleneck" && type != "basic")
    fail(ErrorCode::Unsupported, c.path(), ": layer_type '", printable(type),
         "' (bottleneck and basic are known)");
  const Activation act = read_activation(c, "hidden_act", "relu");
  const bool early = c.find_bool("downsample_in_bottleneck").value_or(false);
  const uint64_t stem = c.find_u32("embedding_size").value_or(64),
                 channels = c.find_u32("num_channels").value_or(3);
  if (stem == 0 || stem > kMaxWidth || channels == 0 || channels > 1024)
    fail(ErrorCode::InvalidFile, c.path(), ": embedding_size ", stem, ", num_channels ", channels);

  const auto layer = [&](const std::string &to, const std::string &from, uint64_t n, uint64_t k,
                         uint64_t kernel, uint32_t stride, Activation activation, const char *parts[2]) {
    Layer l;
    l.tensors = {to, from + parts[0], n, k, kernel, kernel, false, from + parts[1]};
    l.window = window(kernel, stride);
    l.act = activation;
    return l;
  };
  const char *parts[] = {"convolution", "normalization"};
  ResidualNetwork net;
  net.stem_ = layer("backbone.stem", prefix + "embedder.embedder.", stem, channels, 7, 2, act, parts);
  net.stem_.tensors.tensor_class = TensorClass::Sensitive;
  uint64_t in = stem;
  for (size_t s = 0; s < widths.size(); ++s) {
    if (n_stages && s >= n_stages) {
      net.ignored_.push_back(concat(prefix, "encoder.stages.", s, ".*"));
      continue;
    }
    for (uint64_t i = 0; i < depths[s]; ++i) {
      const bool halves = i == 0 && (s > 0 || c.find_bool("downsample_in_first_stage").value_or(false));
      const uint32_t stride = halves ? 2 : 1;
      const uint64_t out = widths[s], inner = out / kReduction;
      const std::string to = concat("backbone.", s, ".", i),
                        from = concat(prefix, "encoder.stages.", s, ".layers.", i);
      if (net.blocks_.size() == kMaxBlocks)
        fail(ErrorCode::InvalidFile, c.path(), ": more than ", kMaxBlocks, " blocks");
      const auto add = [&](Block &b, uint64_t n, uint64_t k, uint64_t kernel, uint32_t by, Activation a) {
        const size_t j = b.layers.size();
        b.layers.push_back(
            layer(concat(to, ".", j), concat(from, ".layer.", j, "."), n, k, kernel, by, a, parts));
      };
      Block block;
      // Inside a block it is relu whatever hidden_act says.
      if (type == "bottleneck") {
        if (inner == 0)
          fail(ErrorCode::InvalidFile, c.path(), ": hidden_sizes has ", out, " for bottlenecks");
        add(block, inner, in, 1, early ? stride : 1, Activation::Relu);
        add(block, inner, inner, 3, early ? 1 : stride, Activation::Relu);
        add(block, out, inner, 1, 1, act);
      } else {
        add(block, out, in, 3, stride, Activation::Relu);
        add(block, out, out, 3, 1, act);
      }
      if (in != out || stride != 1)
        block.shortcut.push_back(
            layer(to + ".shortcut", from + ".shortcut.", out, in, 1, stride, Activation::None, parts));
      net.blocks_.push_back(std::move(block));
      in = out;
    }
  }
  net.width_ = in;
  return net;
}

ResidualNetwork ResidualNetwork::from_tensors(const Source &source, const std::string &prefix, bool dilated,
                                              uint32_t n_stages) {
  const auto layer = [&](const std::string &to, const std::string &conv, const std::string &norm, uint64_t in,
                         uint32_t stride, uint32_t dilation, Activation act) {
    const SourceTensor *w = source.find(prefix + conv + ".weight");
    if (!w || w->shape.rank() != 4 || in % std::max<uint64_t>(w->shape[1], 1) != 0 ||
        w->shape[2] != w->shape[3])
      fail(ErrorCode::Unsupported, source.path(), ": ", prefix, conv, ".weight is ",
           w ? concat(w->shape, " for ", in, " channels") : "missing",
           ": the backbone is no residual network of the common form");
    Layer l;
    l.groups = uint32_t(in / w->shape[1]);
    l.tensors = {to, prefix + conv, w->shape[0], w->shape[1], w->shape[2], w->shape[3], false, prefix + norm};
    l.window = window(w->shape[2], stride, dilation);
    l.act = act;
    return l;
  };
  ResidualNetwork net;
  const SourceTensor *stem = source.find(prefix + "conv1.weight");
  const uint64_t channels = stem && stem->shape.rank() == 4 ? stem->shape[1] : 3;
  net.stem_ = layer("backbone.stem", "conv1", "bn1", channels, 2, 1, Activation::Relu);
  net.stem_.tensors.tensor_class = TensorClass::Sensitive;
  uint64_t in = net.stem_.tensors.n;
  for (uint32_t s = 1; s <= 4; ++s) {
    if (n_stages && s > n_stages) {
      net.ignored_.push_back(concat(prefix, "layer", s, ".*"));
      continue;
    }
    for (uint32_t i = 0;; ++i) {
      const std::string at = concat("layer", s, ".", i), to = concat("backbone.", s - 1, ".", i);
      if (!source.find(concat(prefix, at, ".conv1.weight"))) break;
      if (net.blocks_.size() == kMaxBlocks)
        fail(ErrorCode::InvalidFile, source.path(), ": more than ", kMaxBlocks, " blocks");
      const bool spread = dilated && s == 4;
      const uint32_t stride = i == 0 && s > 1 && !spread ? 2 : 1;
      // The first block of a dilated stage still meets the denser map.
      const uint32_t first_dilation = spread && i > 0 ? 2 : 1, dilation = spread ? 2 : 1;
      const bool bottleneck = source.find(concat(prefix, at, ".conv3.weight"));
      Block b;
      const auto add = [&](uint64_t k, uint32_t by, uint32_t step) {
        const size_t j = b.layers.size() + 1;
        b.layers.push_back(layer(concat(to, ".", j - 1), concat(at, ".conv", j), concat(at, ".bn", j), k, by,
                                 step, Activation::Relu));
        return b.layers.back().tensors.n;
      };
      if (bottleneck)
        add(add(add(in, 1, 1), stride, first_dilation), 1, 1);
      else
        add(add(in, stride, first_dilation), 1, dilation);
      if (source.find(concat(prefix, at, ".downsample.0.weight")))
        b.shortcut.push_back(layer(to + ".shortcut", at + ".downsample.0", at + ".downsample.1", in, stride,
                                   1, Activation::None));
      in = b.layers.back().tensors.n;
      net.blocks_.push_back(std::move(b));
    }
  }
  net.width_ = in;
  return net;
}

Value ResidualNetwork::build(Graph &g, Value image) const {
  const auto conv = [&](const char *name, const Layer &l, Value x, Value residual = {}) {
    Conv2d op{
        x, g.weight(l.tensors.to + ".w"), g.weight(l.tensors.to + ".b"), residual, l.window, l.groups, l.act};
    op.act_last = bool(residual) && l.act != Activation::None;
    return g.add(name, std::move(op));
  };
  Value x = conv("x", stem_, image);
  x = g.add("x", Pool2d{x, Pool2dFunction::Max, window(3, 2)});
  for (const Block &block : blocks_) {
    const Value residual = block.shortcut.empty() ? x : conv("s", block.shortcut[0], x);
    for (size_t i = 0; i + 1 < block.layers.size(); ++i) x = conv("h", block.layers[i], x);
    x = conv("x", block.layers.back(), x, residual);
  }
  return x;
}

void ResidualNetwork::add_tensors(ModelPlan &plan, Encoding encoding) const {
  ConvTensors stem = stem_.tensors;
  if (stem.channels < kImageChannels) stem.map_channels = kImageChannels;
  add_conv2d(plan, stem, encoding);
  for (const Block &block : blocks_) {
    for (const Layer &l : block.layers) add_conv2d(plan, l.tensors, encoding);
    for (const Layer &l : block.shortcut) add_conv2d(plan, l.tensors, encoding);
  }
  plan.ignored.insert(plan.ignored.end(), ignored_.begin(), ignored_.end());
  plan.ignored.push_back(kBatchCounters);
}

} // namespace fovea
