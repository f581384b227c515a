// wav2vec 2.0 (Baevski et al., 2020) in Hugging Face folders: convolutions over samples, a positional
// convolution, a transformer encoder, and a CTC head (Graves et al., 2006) where there is one. Both published
// variants: group norm on the first convolution with norms after the encoder's sublayers, layer norm on all
// with norms before them.
#include "converter/architectures/architecture.h"

#include "converter/architectures/convolution.h"
#include "converter/architectures/ctc_tokens.h"
#include "converter/architectures/transformer_blocks.h"
#include "ops/as_map.h"
#include "ops/copy.h"
#include "ops/flatten.h"
#include "ops/group_norm.h"
#include "ops/softmax.h"
#include "ops/top_k.h"
#include "ops/unary.h"

#include <cmath>
#include <filesystem>

namespace fovea {
namespace {

constexpr uint64_t kMaxContextSamples = 1 << 14; // a second; published models see 400

struct ConvLayer {
  uint32_t channels = 0, width = 0, kernel = 0, stride = 0; // width: output channels
};

struct Sizes {
  std::vector<ConvLayer> convs;
  bool conv_bias = false, group_norm = false; // group_norm: on the first convolution; else layer norm on all
  Activation conv_act = Activation::Gelu;
  uint32_t position_kernel = 0, position_groups = 0, layers = 0, vocabulary = 0; // vocabulary 0: no head
  BlockSpec blocks;
  std::string prefix;
};

std::vector<int32_t> numbers(const Config &c, const char *key, std::vector<int32_t> fallback) {
  std::vector<int32_t> out = c.find_i32s(key).value_or(std::move(fallback));
  for (const int32_t n : out)
    if (n < 1 || n > 1 << 16) fail(ErrorCode::InvalidFile, c.path(), ": ", key, " holds ", n);
  return out;
}

Sizes read_sizes(const Source &source, const Config &c) {
  Sizes s;
  if (c.find_bool("add_adapter").value_or(false))
    fail(ErrorCode::Unsupported, c.path(), ": add_adapter is true: adapters are not supported");
  if (c.has("adapter_attn_dim"))
    fail(ErrorCode::Unsupported, c.path(), ": adapter_attn_dim is ", c.get_u32("adapter_attn_dim"),
         ": adapters of languages are not supported");
  const std::string norm = c.find_string("feat_extract_norm").value_or("group");
  if (norm != "group" && norm != "layer")
    fail(ErrorCode::Unsupported, c.path(), ": feat_extract_norm is '", printable(norm),
         "', expected group or layer");
  s.group_norm = norm == "group";
  s.conv_bias = c.find_bool("conv_bias").value_or(false);
  s.conv_act = read_activation(c, "feat_extract_activation", "gelu");
  const auto widths = numbers(c, "conv_dim", std::vector<int32_t>(7, 512)),
             kernels = numbers(c, "conv_kernel", {10, 3, 3, 3, 3, 2, 2}),
             strides = numbers(c, "conv_stride", {5, 2, 2, 2, 2, 2, 2});
  if (widths.empty() || widths.size() != kernels.size() || widths.size() != strides.size() ||
      widths.size() > 64)
    fail(ErrorCode::InvalidFile, c.path(), ": conv_dim, conv_kernel and conv_stride have ", widths.size(),
         ", ", kernels.size(), " and ", strides.size(), " entries");
  for (size_t i = 0; i < widths.size(); ++i)
    s.convs.push_back(
        {i ? uint32_t(widths[i - 1]) : 1, uint32_t(widths[i]), uint32_t(kernels[i]), uint32_t(strides[i])});
  s.position_kernel = c.find_u32("num_conv_pos_embeddings", 128, 1, 1 << 14);
  s.position_groups = c.find_u32("num_conv_pos_embedding_groups").value_or(16);
  s.layers = c.find_u32("num_hidden_layers", 12, 1, 1024);
  s.blocks.width = c.find_u32("hidden_size").value_or(768);
  s.blocks.ffn = c.find_u32("intermediate_size").value_or(3072);
  s.blocks.heads = c.find_u32("num_attention_heads").value_or(12);
  s.blocks.act = read_activation(c, "hidden_act", "gelu");
  s.blocks.eps = float(c.find_number("layer_norm_eps").value_or(1e-5));
  s.blocks.pre_norm = c.find_bool("do_stable_layer_norm").value_or(false);
  const uint64_t d = s.blocks.width;
  if (d == 0 || s.blocks.heads == 0 || d % s.blocks.heads != 0)
    fail(ErrorCode::InvalidFile, c.path(), ": hidden_size ", d, " is not divisible by num_attention_heads ",
         s.blocks.heads);
  if (s.position_groups == 0 || d % s.position_groups != 0)
    fail(ErrorCode::InvalidFile, c.path(), ": hidden_size ", d,
         " is not divisible by num_conv_pos_embedding_groups ", s.position_groups);
  s.prefix = find_prefix(source, {"wav2vec2.", ""}, "feature_projection.projection.weight");
  if (source.find("lm_head.weight")) s.vocabulary = c.find_u32("vocab_size").value_or(32);
  return s;
}

// ---- tensors

/// Whatever the spelling of weight norm: w[n, c, k] = g[k] v[n, c, k] / |v[:, :, k]|, in conv2d's order, taps
/// outermost.
void add_positions(const Source &source, const Sizes &s, ModelPlan &plan) {
  const uint64_t n = s.blocks.width, channels = n / s.position_groups, kernel = s.position_kernel;
  const std::string from = s.prefix + "encoder.pos_conv_embed.conv.";
  std::vector<SourceInput> inputs;
  for (const auto &[g, v] : {std::pair<const char *, const char *>{"parametrizations.weight.original0",
                                                                   "parametrizations.weight.original1"},
                             {"weight_g", "weight_v"}})
    if (source.find(from + v)) inputs = {{from + v, {n, channels, kernel}}, {from + g, {1, 1, kernel}}};
  if (inputs.empty()) inputs = {{from + "weight", {n, channels, kernel}}}; // folded already
  plan.tensors.push_back({"positions.w",
                          {n, kernel * channels},
                          TensorClass::Sensitive,
                          std::move(inputs),
                          [n, channels, kernel](std::span<const std::vector<float>> in) {
                            std::vector<double> factor(kernel, 1.0);
                            for (uint64_t k = 0; k < kernel && in.size() == 2; ++k) {
                              double squares = 0;
                              for (uint64_t i = 0; i < n * channels; ++i)
                                squares += double(in[0][i * kernel + k]) * in[0][i * kernel + k];
                              factor[k] = double(in[1][k]) / std::sqrt(squares);
                            }
                            std::vector<float> out(in[0].size());
                            for (uint64_t row = 0; row < n; ++row)
                              for (uint64_t c = 0; c < channels; ++c)
                                for (uint64_t k = 0; k < kernel; ++k)
                                  out[(row * kernel + k) * channels + c] =
                                      float(factor[k] * in[0][(row * channels + c) * kernel + k]);
                            return out;
                          }});
  plan.add_tensor("positions.b", {n}, TensorClass::Exact, from + "bias");
}

void add_tensors(const Source &source, const Sizes &s, Encoding encoding, ModelPlan &plan) {
  BlockTensors tensors(source, plan, s.blocks);
  const uint64_t d = s.blocks.width;
  for (size_t i = 0; i < s.convs.size(); ++i) {
    const ConvLayer &conv = s.convs[i];
    const std::string from = concat(s.prefix, "feature_extractor.conv_layers.", i), to = concat("conv.", i);
    ConvTensors reordered;
    reordered.to = to;
    reordered.from = from + ".conv";
    reordered.n = conv.width;
    reordered.channels = conv.channels;
    reordered.kernel_w = conv.kernel;
    reordered.bias = s.conv_bias;
    reordered.tensor_class = TensorClass::Sensitive;
    add_conv2d(plan, reordered, encoding);
    if (!s.group_norm || i == 0) tensors.norm(to + ".ln", from + ".layer_norm", conv.width);
  }
  tensors.norm("projection.ln", s.prefix + "feature_projection.layer_norm", s.convs.back().width);
  tensors.linear("projection", s.prefix + "feature_projection.projection", d, s.convs.back().width, true,
                 matrix_class(d));
  add_positions(source, s, plan);
  tensors.norm("encoder.ln", s.prefix + "encoder.layer_norm");
  for (uint32_t i = 0; i < s.layers; ++i) {
    const std::string from = concat(s.prefix, "encoder.layers.", i, "."), to = concat("layer.", i);
    tensors.attention(
        to, from,
        {"layer_norm", "attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.out_proj"});
    tensors.mlp(to, from,
                {"final_layer_norm", "feed_forward.intermediate_dense", "feed_forward.output_dense"});
  }
  if (s.vocabulary) tensors.linear("head", "lm_head", s.vocabulary, d, true, TensorClass::Delicate);
  plan.ignored = {"*masked_spec_embed", "quantizer.*", "project_q.*", "project_hid.*"}; // of training
}

// ---- graphs

/// [B, N] samples, as the feature extractor gives them → logits [B, T, V], or the last hidden rows.
class Builder : public BlockBuilder {
public:
  Builder(const char *name, const Sizes &sizes) : BlockBuilder(name, sizes.blocks), s_(sizes) {}

  Value features(Value map) {
    for (size_t i = 0; i < s_.convs.size(); ++i) {
      const std::string at = concat("conv.", i);
      const bool normed = !s_.group_norm || i == 0;
      Conv2d conv;
      conv.x = map;
      conv.weight = g.weight(at + ".w");
      if (s_.conv_bias) conv.bias = g.weight(at + ".b");
      conv.window.kernel_h = conv.window.stride_h = 1;
      conv.window.kernel_w = s_.convs[i].kernel;
      conv.window.stride_w = s_.convs[i].stride;
      conv.act = normed ? Activation::None : s_.conv_act;
      map = g.add("c", conv);
      if (!normed) continue;
      const Value gamma = g.weight(at + ".ln.g"), beta = g.weight(at + ".ln.b");
      if (s_.group_norm)
        map = g.add("c", GroupNorm{map, gamma, beta, s_.convs[i].width, 1e-5f, s_.conv_act});
      else
        map = g.add("c", Unary{g.add("c", LayerNorm{map, gamma, beta, 1e-5f, Rows::All}),
                               UnaryFunction(s_.conv_act)});
    }
    return g.add("x", Flatten{map});
  }

  Value encoder(Value features, const char *offered) {
    Value x = linear("x",
                     g.add("h", LayerNorm{features, g.weight("projection.ln.g"), g.weight("projection.ln.b"),
                                          spec.eps, Rows::All}),
                     "projection");
    const Value map = g.add("m", AsMap{x});
    Conv2d positions;
    positions.x = positions.residual = map;
    positions.weight = g.weight("positions.w");
    positions.bias = g.weight("positions.b");
    positions.window.kernel_h = 1;
    positions.window.kernel_w = s_.position_kernel;
    positions.window.pad_left = s_.position_kernel / 2;
    positions.window.pad_right =
        s_.position_kernel / 2 - (s_.position_kernel % 2 == 0); // as many rows as before
    positions.groups = s_.position_groups;
    positions.act = s_.conv_act;
    x = g.add("x", Flatten{g.add("m", positions)});
    if (!spec.pre_norm) x = norm(x, "encoder.ln");
    for (uint32_t i = 0; i < s_.layers; ++i) {
      Attended a;
      if (*offered) a.offered = concat(offered, ".", i);
      x = block(x, concat("layer.", i), a);
    }
    return x;
  }
  Op last(Value x) {
    if (s_.vocabulary) return linear_op(spec.pre_norm ? norm(x, "encoder.ln") : x, "head", true);
    if (spec.pre_norm) return norm_op(x, "encoder.ln");
    return Copy{x};
  }

private:
  const Sizes &s_;
};

void add_graphs(const Sizes &s, bool normalize, uint32_t n_candidates, ModelPlan &plan) {
  Builder forward("forward", s);
  const Value samples = forward.g.input("samples", Encoding::F32, {"B", "N"});
  const Value x = forward.encoder(forward.features(forward.g.add("m", AsMap{samples})), "attention");
  forward.g.output(s.vocabulary ? "logits" : "hidden", forward.last(x));
  plan.graphs.emplace_back("forward", print_graph(forward.g));
  if (!s.vocabulary) return;

  Builder window("window", s); // of a recording, as it is
  Value map = window.g.add("m", AsMap{window.g.input("window", Encoding::F32, {1, "N"})});
  if (normalize) map = window.g.add("m", GroupNorm{map, {}, {}, 1, 1e-7f, Activation::None});
  const Value y = window.encoder(window.features(map), "");
  window.g.output("best", TopK{window.g.add("p", Softmax{window.g.add("logits", window.last(y)), 1, true}),
                               n_candidates});
  plan.graphs.emplace_back("window", print_graph(window.g));
}

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(*source.text("config.json"), source.text_path("config.json"));
  const Sizes s = read_sizes(source, c);
  ModelPlan plan;
  plan.architecture = "wav2vec2";
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.run.graphs", std::vector<std::string>{"forward"});
  CtcSound sound = read_ctc_sound(source);
  for (const ConvLayer &conv : s.convs) {
    sound.context += (conv.kernel - 1) * sound.hop; // samples that a position sees beside its hop
    sound.hop *= conv.stride;
    if (std::max(sound.context, sound.hop) > kMaxContextSamples)
      fail(ErrorCode::Unsupported, c.path(), ": conv_kernel and conv_stride let a position see ",
           sound.context, " samples, at most ", kMaxContextSamples, " expected");
  }
  const uint32_t n_candidates = s.vocabulary ? add_ctc_metadata(source, c, s.vocabulary, sound, plan) : 1;
  add_graphs(s, sound.normalize, n_candidates, plan);
  add_tensors(source, s, encoding, plan);
  return plan;
}

} // namespace

extern const Architecture kWav2vec2;
const Architecture kWav2vec2 = {"wav2vec2", {"wav2vec2"}, build};

} // namespace fovea
