// SegFormer (Xie et al., "Simple and Efficient Design for Semantic Segmentation with Transformers", 2021):
// segmentation and classification, with the tensor names of Hugging Face folders before and since 2026.
//
// The decode head's projections, its fusing convolution and its batch norm are one matrix a stage here: all
// are linear, and so is the resizing between them, which then works on fewer channels' sums instead of their
// concatenation.
#include "converter/architectures/architecture.h"

#include "converter/architectures/activation.h"
#include "converter/architectures/attention_block.h"
#include "converter/architectures/convolution.h"
#include "converter/architectures/image_classifier.h"
#include "converter/features/image_processor.h"
#include "converter/labels.h"
#include "ops/channels_first.h"
#include "ops/depthwise_conv2d.h"
#include "ops/layer_norm.h"
#include "ops/resize2d.h"

#include <cmath>

namespace fovea {
namespace {

constexpr float kNormEps = 1e-5f; // of every norm, whatever layer_norm_eps says

struct Stage {
  uint64_t width = 0, in = 0, ffn = 0;
  uint32_t depth = 1, heads = 1, reduction = 1, patch = 3, stride = 2;
};

struct Sizes {
  std::vector<Stage> stages;
  uint32_t channels = 3;
  uint64_t decoder = 256;
  Activation act = Activation::Gelu;
};

Sizes read_sizes(const Config &c) {
  Sizes s;
  const uint32_t n = c.find_u32("num_encoder_blocks").value_or(4);
  const auto list = [&](const char *key, std::vector<int32_t> fallback, int32_t most) {
    const std::vector<int32_t> v = c.find_i32s(key).value_or(std::move(fallback));
    if (v.size() < n || n == 0 || n > 16)
      fail(ErrorCode::InvalidFile, c.path(), ": ", key, " has ", v.size(), " stages, num_encoder_blocks is ",
           n);
    for (const int32_t x : v)
      if (x < 1 || x > most)
        fail(ErrorCode::InvalidFile, c.path(), ": ", key, " has ", x, ", expected 1 to ", most);
    return v;
  };
  const auto depths = list("depths", {2, 2, 2, 2}, 256),
             widths = list("hidden_sizes", {32, 64, 160, 256}, 1 << 14);
  const auto heads = list("num_attention_heads", {1, 2, 5, 8}, 1 << 10),
             ratios = list("sr_ratios", {8, 4, 2, 1}, 64);
  const auto patches = list("patch_sizes", {7, 3, 3, 3}, 64), strides = list("strides", {4, 2, 2, 2}, 64);
  std::vector<double> mlp(n, 4.0);
  if (const Json *given = c.find("mlp_ratios")) {
    if (!given->is_array() || given->size() < n)
      fail(ErrorCode::InvalidFile, c.path(), ": mlp_ratios must be a list of ", n, " numbers");
    for (size_t i = 0; i < n; ++i) {
      const Json &ratio = (*given)[i];
      mlp[i] = ratio.is_number() ? ratio.get<double>() : 0;
      if (!(mlp[i] > 0 && mlp[i] <= 64))
        fail(ErrorCode::InvalidFile, c.path(), ": mlp_ratios must be numbers up to 64");
    }
  }
  s.channels = c.find_u32("num_channels").value_or(3);
  s.decoder = c.find_u32("decoder_hidden_size").value_or(256);
  s.act = read_activation(c, "hidden_act", "gelu");
  if (s.channels == 0 || s.channels > 1024 || s.decoder == 0 || s.decoder > 1 << 14)
    fail(ErrorCode::InvalidFile, c.path(), ": num_channels ", s.channels, ", decoder_hidden_size ",
         s.decoder);
  for (size_t i = 0; i < n; ++i) {
    Stage t;
    t.width = uint64_t(widths[i]);
    t.in = i == 0 ? s.channels : uint64_t(widths[i - 1]);
    t.ffn = uint64_t(double(widths[i]) * mlp[i]);
    t.depth = uint32_t(depths[i]);
    t.heads = uint32_t(heads[i]);
    t.reduction = uint32_t(ratios[i]);
    t.patch = uint32_t(patches[i]);
    t.stride = uint32_t(strides[i]);
    if (t.width % t.heads != 0 || t.ffn == 0)
      fail(ErrorCode::InvalidFile, c.path(), ": hidden_sizes ", t.width, " is no multiple of ", t.heads,
           " heads");
    s.stages.push_back(t);
  }
  return s;
}

// The two naming schemes.
struct Names {
  bool newer = false;
  std::string prefix, projections;
  std::string patches(size_t i) const {
    return newer ? concat(prefix, "stages.", i, ".patch_embeddings.")
                 : concat(prefix, "encoder.patch_embeddings.", i, ".");
  }
  std::string block(size_t i, uint32_t j) const {
    return newer ? concat(prefix, "stages.", i, ".blocks.", j, ".")
                 : concat(prefix, "encoder.block.", i, ".", j, ".");
  }
  std::string norm(size_t i) const {
    return newer ? concat(prefix, "stages.", i, ".layer_norm") : concat(prefix, "encoder.layer_norm.", i);
  }
  const char *pick(const char *old_name, const char *new_name) const { return newer ? new_name : old_name; }
};

Names find_names(const Source &source) {
  Names names;
  const auto has = [&](const std::string &name) { return source.find(name) != nullptr; };
  for (const char *prefix : {"segformer.", ""})
    for (const bool newer : {false, true}) {
      const Names tried{newer, prefix, {}};
      if (has(tried.patches(0) + "proj.weight") && names.prefix.empty()) names = tried;
    }
  names.projections = has("decode_head.linear_projections.0.proj.weight") ? "decode_head.linear_projections."
                                                                          : "decode_head.linear_c.";
  return names;
}

// Appends layers to the graph and their tensors to the plan, in one go.
class Builder {
public:
  Builder(const Sizes &s, const Names &names, Encoding encoding, ModelPlan &plan)
      : g("forward"), s_(s), names_(names), encoding_(encoding), plan_(plan) {}

  std::vector<Value> encode() {
    std::vector<Value> maps;
    Value x = add_image_input(g, s_.channels);
    for (size_t i = 0; i < s_.stages.size(); ++i) {
      const Stage &t = s_.stages[i];
      const std::string at = concat("stage.", i), from = names_.patches(i);
      Window2d window;
      window.kernel = t.patch;
      window.stride = t.stride;
      window.padding = t.patch / 2;
      x = convolution(x, at + ".patch", from + "proj", t.width, t.in, window,
                      i == 0 ? TensorClass::Sensitive : TensorClass::Delicate, i == 0);
      x = norm(x, at + ".patch_ln", from + "layer_norm", t.width);
      for (uint32_t j = 0; j < t.depth; ++j) x = block(x, t, concat(at, ".", j), names_.block(i, j));
      x = norm(x, at + ".ln", names_.norm(i), t.width);
      maps.push_back(x);
    }
    return maps;
  }

  void segment(const std::vector<Value> &maps, uint32_t n_classes) {
    const size_t n = maps.size();
    Value first, sum;
    for (size_t i = 0; i < n; ++i) {
      const std::string at = concat("decode.", i);
      fused(i, at);
      const bool last = i + 1 == n;
      const Value z = g.add("z", Linear{maps[i],
                                        g.weight(at + ".w"),
                                        g.weight(at + ".b"),
                                        {},
                                        n == 1 ? Activation::Relu : Activation::None});
      if (i == 0) {
        first = sum = z;
        continue;
      }
      Resize2d resized{z, first, sum};
      if (last) resized.act = Activation::Relu;
      sum = g.add("z", std::move(resized));
    }
    tensor("classes.w", {n_classes, s_.decoder}, TensorClass::Vocabulary, "decode_head.classifier.weight");
    tensor("classes.b", {n_classes}, TensorClass::Exact, "decode_head.classifier.bias");
    const Value classes =
        g.add("classes", Linear{sum, g.weight("classes.w"), g.weight("classes.b"), {}, Activation::None});
    g.output("logits", ChannelsFirst{classes});
  }

  Graph g;

private:
  void tensor(const std::string &to, Shape shape, TensorClass tensor_class, const std::string &from) {
    plan_.add_tensor(to, shape, tensor_class, from);
  }
  Value convolution(Value x, const std::string &at, const std::string &from, uint64_t n, uint64_t k,
                    const Window2d &window, TensorClass tensor_class, bool image = false) {
    ConvTensors t;
    t.to = at;
    t.from = from;
    t.n = n;
    t.channels = k;
    t.kernel_h = t.kernel_w = window.kernel;
    t.bias = true;
    t.tensor_class = tensor_class;
    if (image && k < kImageChannels) t.map_channels = kImageChannels;
    add_conv2d(plan_, t, encoding_);
    return g.add("x", Conv2d{x, g.weight(at + ".w"), g.weight(at + ".b"), {}, window});
  }
  Value norm(Value x, const std::string &at, const std::string &from, uint64_t width) {
    tensor(at + ".g", {width}, TensorClass::Exact, from + ".weight");
    tensor(at + ".b", {width}, TensorClass::Exact, from + ".bias");
    return g.add("h", LayerNorm{x, g.weight(at + ".g"), g.weight(at + ".b"), kNormEps});
  }
  Value linear(const char *name, Value x, const std::string &at, const std::string &from, uint64_t n,
               uint64_t k, Value residual = {}) {
    tensor(at + ".w", {n, k}, TensorClass::Delicate, from + ".weight");
    tensor(at + ".b", {n}, TensorClass::Exact, from + ".bias");
    return g.add(name, Linear{x, g.weight(at + ".w"), g.weight(at + ".b"), residual, Activation::None});
  }

  Value block(Value x, const Stage &t, const std::string &at, const std::string &from) {
    const uint64_t d = t.width;
    const std::string attention = from + "attention.";
    Value h = norm(x, at + ".ln", from + names_.pick("layer_norm_1", "layernorm_before"), d);
    const Value q = linear("q", h, at + ".q", attention + names_.pick("self.query", "q_proj"), d, d);
    if (t.reduction > 1) { // keys and values of a smaller map
      Window2d window;
      window.kernel = window.stride = t.reduction;
      const std::string reduce = attention + names_.pick("self.", "sequence_reduction.");
      h = convolution(h, at + ".reduce", reduce + names_.pick("sr", "sequence_reduction"), d, d, window,
                      TensorClass::Delicate);
      h = norm(h, at + ".reduce_ln", reduce + "layer_norm", d);
    }
    const Value k = linear("k", h, at + ".k", attention + names_.pick("self.key", "k_proj"), d, d);
    const Value v = linear("v", h, at + ".v", attention + names_.pick("self.value", "v_proj"), d, d);
    AttentionFields fields;
    fields.q = q;
    fields.k = k;
    fields.heads = t.heads;
    const Value a = add_attention(g, std::move(fields), v, concat("attention.", n_attentions_++));
    x = linear("x", a, at + ".o", attention + names_.pick("output.dense", "o_proj"), d, d, x);

    h = norm(x, at + ".ln_mlp", from + names_.pick("layer_norm_2", "layernorm_after"), d);
    h = linear("f", h, at + ".fc1", from + names_.pick("mlp.dense1", "mlp.fc1"), t.ffn, d);
    ConvTensors mix;
    mix.to = at + ".mix";
    mix.from = from + "mlp.dwconv.dwconv";
    mix.n = t.ffn;
    mix.channels = 1;
    mix.kernel_h = mix.kernel_w = 3;
    mix.bias = true;
    add_depthwise_conv2d(plan_, mix);
    Window2d window;
    window.kernel = 3;
    window.padding = 1;
    h = g.add("f", DepthwiseConv2d{h, g.weight(mix.to + ".w"), g.weight(mix.to + ".b"), window, s_.act});
    return linear("x", h, at + ".fc2", from + names_.pick("mlp.dense2", "mlp.fc2"), d, t.ffn, x);
  }

  // decode.i: norm(fuse[:, block](projection_i(x))); the norm's shift goes with stage 0.
  void fused(size_t i, const std::string &at) {
    const uint64_t d = s_.decoder, n = s_.stages.size(), width = s_.stages[i].width;
    const uint64_t begin = (n - 1 - i) * d; // the concatenation starts with the last stage
    const std::string from = concat(names_.projections, i, ".proj"), bn = "decode_head.batch_norm";
    const std::vector<SourceInput> inputs = {{"decode_head.linear_fuse.weight", {d, n * d, 1, 1}},
                                             {from + ".weight", {d, width}},
                                             {from + ".bias", {d}},
                                             {bn + ".weight", {d}},
                                             {bn + ".bias", {d}},
                                             {bn + ".running_mean", {d}},
                                             {bn + ".running_var", {d}}};
    using Inputs = std::span<const std::vector<float>>;
    const auto factor = [](Inputs in, uint64_t r) {
      return double(in[3][r]) / std::sqrt(double(in[6][r]) + kNormEps);
    };
    OutputTensor w{at + ".w", {d, width}, TensorClass::Delicate, inputs, {}};
    w.combine = [=](Inputs in) {
      std::vector<float> out(d * width);
      std::vector<double> row(width);
      for (uint64_t r = 0; r < d; ++r) {
        std::fill(row.begin(), row.end(), 0.0);
        for (uint64_t k = 0; k < d; ++k) {
          const double f = double(in[0][r * n * d + begin + k]) * factor(in, r);
          for (uint64_t c = 0; c < width; ++c) row[c] += f * double(in[1][k * width + c]);
        }
        for (uint64_t c = 0; c < width; ++c) out[r * width + c] = float(row[c]);
      }
      return out;
    };
    plan_.tensors.push_back(std::move(w));
    OutputTensor b{at + ".b", {d}, TensorClass::Exact, inputs, {}};
    b.combine = [=](Inputs in) {
      std::vector<float> out(d);
      for (uint64_t r = 0; r < d; ++r) {
        double sum = i == 0 ? double(in[4][r]) - double(in[5][r]) * factor(in, r) : 0.0;
        for (uint64_t k = 0; k < d; ++k)
          sum += double(in[0][r * n * d + begin + k]) * factor(in, r) * double(in[2][k]);
        out[r] = float(sum);
      }
      return out;
    };
    plan_.tensors.push_back(std::move(b));
  }

  const Sizes &s_;
  const Names &names_;
  Encoding encoding_;
  ModelPlan &plan_;
  uint32_t n_attentions_ = 0;
};

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const Sizes s = read_sizes(c);
  const Names names = find_names(source);
  ModelPlan plan;
  plan.architecture = "segformer";
  Builder b(s, names, encoding, plan);
  const std::vector<Value> maps = b.encode();
  if (const SourceTensor *classes = source.find("decode_head.classifier.weight")) {
    const uint64_t n = classes->shape.rank() > 0 ? classes->shape[0] : 0;
    if (n == 0 || n > 1 << 16)
      fail(ErrorCode::InvalidFile, source.path(), ": decode_head.classifier.weight is ", classes->shape);
    b.segment(maps, uint32_t(n));
    add_classifier_metadata(plan, source, c, 0);
    for (auto &[key, value] : plan.metadata)
      if (key == "fovea.task") value = std::string("segment");
    plan.add("fovea.segment.labels", read_labels(c, uint32_t(n)));
  } else {
    const uint64_t width = s.stages.back().width;
    const uint32_t n_classes = classes_of(source, "classifier.weight", width);
    add_classifier_head(b.g, maps.back(), n_classes);
    add_classifier_tensors(plan, "classifier", n_classes, width);
    add_classifier_metadata(plan, source, c, n_classes);
  }
  add_preprocess(read_image_processor(source, ImageProcessorType::Segformer, 512), plan);
  plan.graphs.emplace_back(b.g.name(), print_graph(b.g));
  plan.ignored.push_back(kBatchCounters);
  return plan;
}

} // namespace

extern const Architecture kSegformer;
const Architecture kSegformer = {"segformer", {"segformer"}, build};

} // namespace fovea
