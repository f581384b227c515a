// Conformer with a CTC head (Gulati et al., 2020; Graves et al., 2006) over log-mel energies, as
// samples/training writes it: sound brought to mean 0 and variance 1, two strided convolutions, then layers
// of half an MLP, attention without positional encoding, a depthwise convolution, half an MLP. Every norm is
// a LayerNorm. No convolution before the layers sees past an edge, so that a position is some samples and no
// padding.
#include "converter/architectures/architecture.h"

#include "base/checked.h"
#include "converter/architectures/convolution.h"
#include "converter/architectures/ctc_tokens.h"
#include "converter/architectures/transformer_blocks.h"
#include "converter/features/mel.h"
#include "ops/as_map.h"
#include "ops/depthwise_conv2d.h"
#include "ops/flatten.h"
#include "ops/gated.h"
#include "ops/group_norm.h"
#include "ops/power_spectrum.h"
#include "ops/softmax.h"
#include "ops/top_k.h"
#include "ops/unary.h"

#include <filesystem>

namespace fovea {
namespace {

constexpr uint32_t kBinsQuantum = 16; // the Fourier transform's bins are filled up to a multiple of it
constexpr float kEnergyEps = 1e-7f;   // of the recording's variance

struct Sizes {
  uint32_t sample_rate = 0, window = 0, hop = 0, mels = 0; // of log-mel frames, in samples
  float floor = 0;                                         // of a mel energy
  uint32_t kernel = 0, stride = 0;                         // of each of two subsampling convolutions
  uint32_t conv_kernel = 0;                                // of the depthwise convolutions
  uint32_t layers = 0, vocabulary = 0;
  BlockSpec blocks;

  uint64_t bins() const { return align_up(uint64_t(window) / 2 + 1, uint64_t(kBinsQuantum)); }
};

Sizes read_sizes(const Config &c, const CtcSound &sound) {
  Sizes s;
  s.sample_rate = sound.sample_rate_hz;
  s.window = c.find_u32("n_fft", 400, 16, 8192);
  s.hop = c.find_u32("hop_length", 160, 1, s.window);
  s.mels = c.find_u32("num_mel_bins", 80, 1, 512);
  s.floor = float(c.find_number("mel_floor").value_or(1e-5));
  if (!(s.floor > 0))
    fail(ErrorCode::InvalidFile, c.path(), ": mel_floor is ", s.floor, ", above 0 expected");
  s.kernel = c.find_u32("subsampling_kernel_size", 3, 1, 64);
  s.stride = c.find_u32("subsampling_stride", 2, 1, 64);
  s.conv_kernel = c.find_u32("conv_kernel_size", 15, 1, 255);
  if (s.conv_kernel % 2 == 0)
    fail(ErrorCode::Unsupported, c.path(), ": conv_kernel_size is ", s.conv_kernel,
         ", an odd number expected");
  s.layers = c.get_u32("num_hidden_layers", 1, 1024);
  s.vocabulary = c.get_u32("vocab_size");
  s.blocks.width = c.get_u32("hidden_size");
  s.blocks.ffn = c.get_u32("intermediate_size");
  s.blocks.heads = c.get_u32("num_attention_heads");
  s.blocks.act = read_activation(c, "hidden_act", "silu");
  s.blocks.eps = float(c.find_number("layer_norm_eps").value_or(1e-5));
  s.blocks.pre_norm = true;
  if (s.blocks.width == 0 || s.blocks.heads == 0 || s.blocks.width % s.blocks.heads != 0)
    fail(ErrorCode::InvalidFile, c.path(), ": hidden_size ", s.blocks.width,
         " is not divisible by num_attention_heads ", s.blocks.heads);
  return s;
}

// ---- tensors

/// to.w and to.b of from.linear2, halved: only half of what it gives is added.
void add_half(ModelPlan &plan, const Sizes &s, const std::string &to, const std::string &from) {
  const auto halve = [](std::span<const std::vector<float>> in) {
    std::vector<float> out = in[0];
    for (float &x : out) x *= 0.5f;
    return out;
  };
  const uint64_t d = s.blocks.width, f = s.blocks.ffn;
  plan.tensors.push_back(
      {to + ".w", {d, f}, TensorClass::Delicate, {{from + ".linear2.weight", {d, f}}}, halve});
  plan.tensors.push_back({to + ".b", {d}, TensorClass::Exact, {{from + ".linear2.bias", {d}}}, halve});
}

/// The gate's rows above the value's, as `gated` reads them; the source has the value's first.
void add_gate_first(ModelPlan &plan, const Sizes &s, const std::string &to, const std::string &from) {
  const auto swap_halves = [](std::span<const std::vector<float>> in) {
    const size_t half = in[0].size() / 2;
    std::vector<float> out(in[0].begin() + ptrdiff_t(half), in[0].end());
    out.insert(out.end(), in[0].begin(), in[0].begin() + ptrdiff_t(half));
    return out;
  };
  const uint64_t d = s.blocks.width;
  plan.tensors.push_back(
      {to + ".w", {2 * d, d}, matrix_class(d), {{from + ".weight", {2 * d, d}}}, swap_halves});
  plan.tensors.push_back({to + ".b", {2 * d}, TensorClass::Exact, {{from + ".bias", {2 * d}}}, swap_halves});
}

void add_layer(BlockTensors &tensors, ModelPlan &plan, const Sizes &s, uint32_t i) {
  const uint64_t d = s.blocks.width;
  const std::string from = concat("encoder.layers.", i, "."), to = concat("layer.", i);
  const auto half_mlp = [&](const char *name) {
    const std::string at = concat(to, ".", name), source = concat(from, "feed_forward", name + 3);
    tensors.norm(at + ".ln_mlp", concat(from, "norm_feed_forward", name + 3));
    tensors.linear(at + ".fc1", source + ".linear1", s.blocks.ffn, d, true, matrix_class(d));
    add_half(plan, s, at + ".fc2", source);
  };
  half_mlp("mlp1");
  tensors.attention(
      to, from,
      {"norm_self_att", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"});
  tensors.norm(to + ".conv.ln", from + "norm_conv");
  add_gate_first(plan, s, to + ".conv.in", from + "conv.pointwise_conv1");
  ConvTensors depthwise;
  depthwise.to = to + ".conv";
  depthwise.from = from + "conv.depthwise_conv";
  depthwise.n = d;
  depthwise.channels = 1;
  depthwise.kernel_w = s.conv_kernel;
  depthwise.bias = true;
  depthwise.tensor_class = TensorClass::Sensitive;
  add_depthwise_conv2d(plan, depthwise);
  tensors.norm(to + ".conv.ln_inner", from + "conv.norm");
  tensors.linear(to + ".conv.out", from + "conv.pointwise_conv2", d, d, true, TensorClass::Delicate);
  half_mlp("mlp2");
  tensors.norm(to + ".ln_out", from + "norm_out");
}

void add_tensors(const Source &source, const Sizes &s, Encoding encoding, ModelPlan &plan) {
  BlockTensors tensors(source, plan, s.blocks);
  const uint64_t bins = s.bins();
  plan.add_computed("mel.basis", {2 * bins, s.window}, TensorClass::Exact,
                    [s, bins] { return fourier_basis(s.window, uint32_t(bins)); });
  plan.add_computed("mel.filters", {s.mels, bins}, TensorClass::Exact,
                    [s, bins] { return mel_filters(s.mels, s.window, uint32_t(bins), s.sample_rate); });
  for (const uint32_t i : {1, 2}) {
    ConvTensors conv;
    conv.to = concat("conv", i);
    conv.from = concat("encoder.conv", i);
    conv.n = s.blocks.width;
    conv.channels = i == 1 ? s.mels : s.blocks.width;
    conv.kernel_w = s.kernel;
    conv.bias = true;
    conv.tensor_class = i == 1 ? TensorClass::Sensitive : TensorClass::Delicate;
    add_conv2d(plan, conv, encoding);
  }
  for (uint32_t i = 0; i < s.layers; ++i) add_layer(tensors, plan, s, i);
  tensors.linear("head", "ctc_head", s.vocabulary, s.blocks.width, true, TensorClass::Delicate);
}

// ---- graphs

class Builder : public BlockBuilder {
public:
  Builder(const char *name, const Sizes &sizes) : BlockBuilder(name, sizes.blocks), s_(sizes) {}

  /// [B, 1, N, 1] samples → [B, T, D].
  Value stem(Value samples) {
    Value map = g.add("m", GroupNorm{samples, {}, {}, 1, kEnergyEps, Activation::None});
    const Value spectrum = g.add("x", Flatten{conv("m", map, "mel.basis", "", s_.window, s_.hop)});
    Linear mel;
    mel.x = g.add("power", PowerSpectrum{spectrum});
    mel.weight = g.weight("mel.filters");
    map = g.add("m", AsMap{g.add("log", Unary{g.add("mel", mel), UnaryFunction::Log10, s_.floor})});
    for (const char *at : {"conv1", "conv2"})
      map = conv("m", map, concat(at, ".w"), concat(at, ".b"), s_.kernel, s_.stride, Activation::Silu);
    return g.add("x", Flatten{map});
  }

  /// [B, T, D] → logits [B, T, V].
  Value layers(Value x, const char *offered) {
    for (uint32_t i = 0; i < s_.layers; ++i) {
      const std::string at = concat("layer.", i);
      Attended a;
      if (*offered) a.offered = concat(offered, ".", i);
      x = self_attention(mlp(x, at + ".mlp1"), at, a);
      x = mlp(convolution(x, at + ".conv"), at + ".mlp2");
      x = g.add("x", norm_op(x, at + ".ln_out"));
    }
    return x;
  }
  Op head(Value x) { return linear_op(x, "head", true); }

private:
  Value conv(const char *name, Value map, const std::string &w, const std::string &b, uint32_t kernel,
             uint32_t stride, Activation act = Activation::None) {
    Conv2d op;
    op.x = map;
    op.weight = g.weight(w);
    if (!b.empty()) op.bias = g.weight(b);
    op.window.kernel_h = op.window.stride_h = 1;
    op.window.kernel_w = kernel;
    op.window.stride_w = stride;
    op.act = act;
    return g.add(name, op);
  }
  Value convolution(Value x, const std::string &at) {
    const Value gated = g.add("f", Gated{linear("f", norm(x, at + ".ln"), at + ".in"), Activation::Sigmoid});
    DepthwiseConv2d op;
    op.x = g.add("m", AsMap{gated});
    op.weight = g.weight(at + ".w");
    op.bias = g.weight(at + ".b");
    op.window.kernel_h = 1;
    op.window.kernel_w = s_.conv_kernel;
    op.window.pad_left = op.window.pad_right = s_.conv_kernel / 2;
    const Value h = norm(g.add("h", Flatten{g.add("m", op)}), at + ".ln_inner");
    return linear("x", g.add("h", Unary{h, UnaryFunction(s_.blocks.act)}), at + ".out", Activation::None, x);
  }

  const Sizes &s_;
};

void add_graphs(const Sizes &s, uint32_t n_candidates, ModelPlan &plan) {
  Builder forward("forward", s);
  const Value samples = forward.g.input("samples", Encoding::F32, {"B", "N"});
  const Value x = forward.layers(forward.stem(forward.g.add("m", AsMap{samples})), "attention");
  forward.g.output("logits", forward.head(x));
  plan.graphs.emplace_back("forward", print_graph(forward.g));

  Builder window("window", s); // of a recording, as it is
  const Value map = window.g.add("m", AsMap{window.g.input("window", Encoding::F32, {1, "N"})});
  const Value y = window.g.add("logits", window.head(window.layers(window.stem(map), "")));
  window.g.output("best", TopK{window.g.add("p", Softmax{y, 1, true}), n_candidates});
  plan.graphs.emplace_back("window", print_graph(window.g));
}

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(*source.text("config.json"), source.text_path("config.json"));
  CtcSound sound = read_ctc_sound(source);
  if (!sound.normalize)
    fail(ErrorCode::Unsupported, source.text_path("preprocessor_config.json"),
         ": do_normalize is false; sound of mean 0 and variance 1 expected");
  const Sizes s = read_sizes(c, sound);
  sound.hop = s.hop;
  sound.context = s.window;
  for (int i = 0; i < 2; ++i) {
    sound.context += (s.kernel - 1) * sound.hop;
    sound.hop *= s.stride;
  }
  sound.window_s = 20; // no longer than what it is trained on
  sound.overlap_s = 3;
  ModelPlan plan;
  plan.architecture = "conformer_ctc";
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.run.graphs", std::vector<std::string>{"forward"});
  const uint32_t n_candidates = add_ctc_metadata(source, c, s.vocabulary, sound, plan);
  add_graphs(s, n_candidates, plan);
  add_tensors(source, s, encoding, plan);
  return plan;
}

} // namespace

extern const Architecture kConformerCtc;
const Architecture kConformerCtc = {"conformer_ctc", {"conformer_ctc"}, build};

} // namespace fovea
