#include "converter/architectures/vision_encoder.h"

#include "converter/architectures/convolution.h"
#include "ops/binary.h"
#include "ops/channels_last.h"
#include "ops/concat.h"
#include "ops/flatten.h"
#include "ops/resize2d.h"

#include <algorithm>

namespace fovea {
namespace {

uint64_t rows_of(const std::vector<VisionEncoder::Tokens> &tokens) {
  uint64_t n = 0;
  for (const auto &t : tokens) n += t.rows;
  return n;
}

// A number for both sides, or height and width.
std::pair<uint32_t, uint32_t> sides(const Config &c, const char *key) {
  const Json *value = c.find(key);
  if (value && value->is_array()) {
    const auto two = c.get_i32s(key);
    if (two.size() != 2 || two[0] < 1 || two[1] < 1)
      fail(ErrorCode::InvalidFile, c.path(), ": ", key, " is not a size");
    return {c.in_range(key, uint32_t(two[0]), 1, 1 << 14), c.in_range(key, uint32_t(two[1]), 1, 1 << 14)};
  }
  const uint32_t side = c.get_u32(key, 1, 1 << 14);
  return {side, side};
}

using Inputs = std::span<const std::vector<float>>;

// Tokens with the rows of the position table that are theirs added: one table.
void add_token_tensor(ModelPlan &plan, const VisionEncoder &e, const std::string &name,
                      const std::vector<VisionEncoder::Tokens> &tokens) {
  if (tokens.empty()) return;
  const uint64_t d = e.blocks.width;
  OutputTensor out{e.at + name, {rows_of(tokens), d}, TensorClass::Exact, {}, {}};
  for (const auto &t : tokens) out.inputs.push_back({t.name, {t.rows, d}});
  out.inputs.push_back({e.positions, {e.n_positions(), d}});
  // With interpolated positions those of the tokens are folded in as well: they never change.
  out.combine = [tokens, d](Inputs in) {
    std::vector<float> all;
    for (size_t i = 0; i < tokens.size(); ++i)
      for (uint64_t j = 0; j < tokens[i].rows * d; ++j)
        all.push_back(in[i][j] +
                      (tokens[i].position < 0 ? 0.0f : in.back()[uint64_t(tokens[i].position) * d + j]));
    return all;
  };
  plan.tensors.push_back(std::move(out));
}

// Rows [first, first + n) of one of the source's tables [.., tables, T, D].
void add_rows(ModelPlan &plan, std::string name, const Shape &shape, const std::string &from,
              const Shape &source, uint64_t table, uint64_t first) {
  OutputTensor out{std::move(name), shape, TensorClass::Exact, {{from, source}}, {}};
  const uint64_t d = shape.row(), t = source.dim(-2);
  out.combine = [n = shape.elements(), begin = (table * t + first) * d](Inputs in) {
    const auto at = in[0].begin() + std::ptrdiff_t(begin);
    return std::vector<float>(at, at + std::ptrdiff_t(n));
  };
  plan.tensors.push_back(std::move(out));
}

// A matrix and its bias, each row times an element of `scale` [n].
void add_scaled_linear(ModelPlan &plan, const std::string &to, const std::string &from,
                       const std::string &scale, uint64_t n, uint64_t k, TensorClass tensor_class) {
  const auto scaled = [](uint64_t width) {
    return [width](Inputs in) {
      std::vector<float> out = in[0];
      for (size_t i = 0; i < out.size(); ++i) out[i] *= in[1][i / width];
      return out;
    };
  };
  plan.tensors.push_back(
      {to + ".w", {n, k}, tensor_class, {{from + ".weight", {n, k}}, {scale, {n}}}, scaled(k)});
  plan.tensors.push_back(
      {to + ".b", {n}, TensorClass::Exact, {{from + ".bias", {n}}, {scale, {n}}}, scaled(1)});
}

void add_layer_tensors(ModelPlan &plan, BlockTensors &tensors, const VisionEncoder &e, uint32_t i) {
  const std::string to = concat(e.at, "enc.", i), from = concat(e.layer, i, ".");
  const uint64_t d = e.blocks.width, f = e.blocks.ffn, inner = e.blocks.gated ? 2 * f : f;
  const TensorClass usual = matrix_class(d);
  const bool bias = e.blocks.qkv_bias;
  tensors.norm(to + ".ln", from + e.attention.norm);
  tensors.linear(to + ".q", from + e.attention.q, d, d, bias, usual);
  tensors.linear(to + ".k", from + e.attention.k, d, d, bias, usual);
  tensors.linear(to + ".v", from + e.attention.v, d, d, bias, TensorClass::Delicate);
  if (e.attention_scale.empty())
    tensors.linear(to + ".o", from + e.attention.o, d, d, true, usual);
  else
    add_scaled_linear(plan, to + ".o", from + e.attention.o, from + e.attention_scale, d, d, usual);
  tensors.norm(to + ".ln_mlp", from + e.mlp.norm);
  tensors.linear(to + ".fc1", from + e.mlp.fc1, inner, d, true, usual);
  if (e.mlp_scale.empty())
    tensors.linear(to + ".fc2", from + e.mlp.fc2, d, f, true, TensorClass::Delicate);
  else
    add_scaled_linear(plan, to + ".fc2", from + e.mlp.fc2, from + e.mlp_scale, d, f, TensorClass::Delicate);
}

// Positions of the patches, at the map's size: [N, D], or [1, N, D].
Value patch_positions(Graph &g, const VisionEncoder &e, const std::string &name, Value map) {
  const Value table = g.weight(e.at + name);
  if (!e.any_size) return table;
  Resize2d resize;
  resize.x = table;
  resize.like = map;
  resize.mode = ResizeMode::Bicubic;
  return g.add("places", Flatten{g.add("places", resize)});
}

} // namespace

uint64_t VisionEncoder::rows_before() const { return rows_of(before); }
uint64_t VisionEncoder::rows_after() const { return rows_of(after); }
uint64_t VisionEncoder::n_positions() const {
  uint64_t n = grid_h() * grid_w();
  for (const auto *tokens : {&before, &after})
    for (const Tokens &t : *tokens) n += t.position < 0 ? 0 : t.rows;
  return n;
}

void read_vision_sizes(const Config &c, VisionEncoder &e) {
  BlockSpec &s = e.blocks;
  s.width = c.get_u32("hidden_size", 1, 1 << 14);
  s.heads = c.get_u32("num_attention_heads", 1, 1 << 10);
  if (s.width % s.heads)
    fail(ErrorCode::InvalidFile, c.path(), ": hidden_size ", s.width, " is not a multiple of ", s.heads,
         " heads");
  e.n_layers = c.get_u32("num_hidden_layers", 1, 256);
  if (const auto ffn = c.find_u32("intermediate_size"))
    s.ffn = c.in_range("intermediate_size", *ffn, 1, 1 << 16);
  s.act = read_activation(c, std::string_view("hidden_act"), "gelu");
  s.eps = float(c.find_number("layer_norm_eps").value_or(1e-12));
  s.qkv_bias = c.find_bool("qkv_bias").value_or(true);
  s.pre_norm = true;
  std::tie(e.image_h, e.image_w) = sides(c, "image_size");
  std::tie(e.patch_h, e.patch_w) = sides(c, "patch_size");
  e.channels = c.find_u32("num_channels", 3, 1, 16);
  if (e.patch_h > e.image_h || e.patch_w > e.image_w)
    fail(ErrorCode::InvalidFile, c.path(), ": patches of ", e.patch_h, " x ", e.patch_w, " in an image of ",
         e.image_h, " x ", e.image_w);
}

void use_vit_names(VisionEncoder &e, const std::string &prefix) {
  e.patches = prefix + "embeddings.patch_embeddings.projection";
  e.positions = prefix + "embeddings.position_embeddings";
  e.layer = prefix + "encoder.layer.";
  e.attention = {"layernorm_before", "attention.attention.query", "attention.attention.key",
                 "attention.attention.value", "attention.output.dense"};
  e.mlp = {"layernorm_after", "intermediate.dense", "output.dense"};
  e.last_norm = prefix + "layernorm";
}

VisionEncoder read_vit_encoder(const Config &c, const std::string &prefix, bool distilled) {
  VisionEncoder e;
  read_vision_sizes(c, e);
  if (e.blocks.ffn == 0) fail(ErrorCode::InvalidFile, c.path(), ": 'intermediate_size' is missing");
  use_vit_names(e, prefix);
  e.before = {{prefix + "embeddings.cls_token", 1, 0}};
  if (distilled) e.before.push_back({prefix + "embeddings.distillation_token", 1, 1});
  e.first_patch = uint32_t(e.before.size());
  return e;
}

Value add_pixels(Graph &g, const VisionEncoder &e, const char *batch) {
  if (e.any_size) return g.input("pixels", Encoding::F32, {batch, e.channels, "H", "W"});
  return g.input("pixels", Encoding::F32, {batch, e.channels, e.image_h, e.image_w});
}

Value add_vision_encoder(BlockBuilder &b, const VisionEncoder &e, Value pixels, const std::string &offered) {
  Graph &g = b.g;
  const auto plus = [&](Value x, Value y) { return g.add("x", Binary{x, y, BinaryFunction::Add}); };
  Conv2d conv;
  conv.x = g.add("planes", ChannelsLast{pixels, e.channels < kImageChannels ? kImageChannels : 0});
  conv.weight = g.weight(e.at + "patch.w");
  if (e.patch_bias) conv.bias = g.weight(e.at + "patch.b");
  conv.window.kernel_h = conv.window.stride_h = e.patch_h;
  conv.window.kernel_w = conv.window.stride_w = e.patch_w;
  const Value map = g.add("map", conv);
  Value x = plus(g.add("x", Flatten{map}), patch_positions(g, e, "places", map));
  Value before, after;
  if (!e.before.empty()) before = g.weight(e.at + "before");
  if (!e.after.empty()) after = g.weight(e.at + "after");
  const auto join = [&](const char *name, Value first, Value middle, Value last) {
    if (!first && !last) return middle;
    if (!first) return g.add(name, Concat{middle, last, {}, Axis::Rows});
    return g.add(name, Concat{first, middle, last, Axis::Rows});
  };
  x = join("x", before, x, after);
  if (!e.first_norm.empty()) x = b.norm(x, e.at + "ln_first");
  for (uint32_t i = 0; i < e.n_layers; ++i) {
    BlockBuilder::Attended attended;
    if (!offered.empty()) attended.offered = concat(offered, ".", i);
    x = b.block(x, concat(e.at, "enc.", i), attended);
    if (e.more_positions.empty() || i + 1 == e.n_layers) continue;
    const std::string more = concat("more.", i);
    const auto named = [&](const char *part, bool there) {
      return there ? g.weight(e.at + more + part) : Value{};
    };
    x = plus(x, join("places", named(".before", !e.before.empty()), patch_positions(g, e, more, map),
                     named(".after", !e.after.empty())));
  }
  return x;
}

void add_vision_tensors(ModelPlan &plan, const Source &source, const VisionEncoder &e, Encoding encoding) {
  const uint64_t d = e.blocks.width, n = e.grid_h() * e.grid_w();
  ConvTensors conv;
  conv.to = e.at + "patch";
  conv.from = e.patches;
  conv.n = d;
  conv.channels = e.channels;
  conv.kernel_h = e.patch_h;
  conv.kernel_w = e.patch_w;
  conv.bias = e.patch_bias;
  conv.tensor_class = TensorClass::Sensitive;
  conv.map_channels = std::max(e.channels, kImageChannels);
  add_conv2d(plan, conv, encoding);
  const Shape grid = e.any_size ? Shape{1, e.grid_h(), e.grid_w(), d} : Shape{n, d};
  add_rows(plan, e.at + "places", grid, e.positions, {e.n_positions(), d}, 0, e.first_patch);
  add_token_tensor(plan, e, "before", e.before);
  add_token_tensor(plan, e, "after", e.after);
  BlockTensors tensors(source, plan, e.blocks);
  if (!e.first_norm.empty()) tensors.norm(e.at + "ln_first", e.first_norm);
  for (uint32_t i = 0; i < e.n_layers; ++i) {
    add_layer_tensors(plan, tensors, e, i);
    if (e.more_positions.empty() || i + 1 == e.n_layers) continue;
    const Shape all = {e.n_layers - 1, e.n_positions(), d};
    const std::string name = concat(e.at, "more.", i);
    add_rows(plan, name, grid, e.more_positions, all, i, e.first_patch);
    if (e.rows_before()) add_rows(plan, name + ".before", {e.rows_before(), d}, e.more_positions, all, i, 0);
    if (e.rows_after())
      add_rows(plan, name + ".after", {e.rows_after(), d}, e.more_positions, all, i, e.first_patch + n);
  }
  if (!e.last_norm.empty()) tensors.norm(e.at + "ln", e.last_norm);
}

} // namespace fovea
