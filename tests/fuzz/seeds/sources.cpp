// What convert() reads: each tiny architecture with tensors of the shapes that it asks for, in every format;
// and samples of every type of tensor.
#include "fuzz/seeds.h"
#include "support/gguf_files.h"
#include "support/pytorch_files.h"

using namespace fovea::test;

namespace fovea::fuzz {
namespace {

constexpr uint64_t kMaxBytes = 12 << 10;

/// Name and shape of every tensor that an architecture asks for; nothing when they are too large.
std::map<std::string, Shape> inputs_of(const std::string &config) {
  std::map<std::string, Shape> out;
  uint64_t bytes = 0;
  const std::optional<ModelPlan> plan = tiny_plan(config, Encoding::F32);
  if (!plan) return out;
  for (const OutputTensor &t : plan->tensors)
    for (const SourceInput &input : t.inputs)
      if (out.emplace(input.name, input.shape).second) bytes += 4 * input.shape.elements() + 100;
  if (bytes > kMaxBytes) out.clear();
  return out;
}

std::vector<float> values(uint64_t n) {
  std::vector<float> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = float(i % 7) * 0.25f;
  return out;
}

constexpr const char *kTokenizer =
    R"({"model":{"type":"WordLevel","vocab":{"a":0,"b":1,"c":2},"unk_token":"a"},"added_tokens":[]})";

GgufFile gguf_model(const std::string &family) {
  GgufFile out;
  out.add("general.architecture", family.c_str());
  const auto add = [&](const char *key, auto value) { out.add(concat(family, ".", key), value); };
  add("block_count", 1u);
  add("context_length", 64u);
  add("embedding_length", 8u);
  add("feed_forward_length", 32u);
  add("attention.head_count", 2u);
  add("attention.head_count_kv", 1u);
  add("attention.key_length", 4u);
  add("attention.layer_norm_rms_epsilon", 1e-5f);
  add("attention.sliding_window", 9u);
  add("rope.dimension_count", 4u);
  add("rope.freq_base", 500000.f);
  out.add("tokenizer.ggml.model", "gpt2");
  out.add("tokenizer.ggml.pre", "default");
  out.add("tokenizer.ggml.eos_token_id", 2u);
  out.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "ab"});
  out.add("tokenizer.ggml.merges", std::vector<std::string>{"a b"});
  const auto array = [&](const char *key, uint32_t type, const std::string &three) {
    out.entry(concat("tokenizer.ggml.", key), 9, raw(type) + raw(uint64_t(3)) + three);
  };
  array("token_type", 5, raw(std::vector<int32_t>{1, 1, 3}));
  array("scores", 6, raw(std::vector<float>{0, -1, -2}));
  const std::vector<std::pair<const char *, std::vector<uint64_t>>> tensors = {
      {"token_embd.weight", {3, 8}},        {"output_norm.weight", {8}},
      {"blk.0.attn_norm.weight", {8}},      {"blk.0.attn_q.weight", {8, 8}},
      {"blk.0.attn_k.weight", {4, 8}},      {"blk.0.attn_v.weight", {4, 8}},
      {"blk.0.attn_output.weight", {8, 8}}, {"blk.0.ffn_norm.weight", {8}},
      {"blk.0.ffn_gate.weight", {32, 8}},   {"blk.0.ffn_up.weight", {32, 8}},
      {"blk.0.ffn_down.weight", {8, 32}}};
  for (const auto &[name, shape] : tensors) {
    uint64_t n = 1;
    for (const uint64_t d : shape) n *= d;
    out.add_f32(name, shape, values(n));
  }
  return out;
}

} // namespace

Seeds safetensors_seeds() {
  Seeds out;
  for (const auto &[name, config] : tiny_configs()) {
    std::vector<RawTensor> tensors;
    for (const auto &[tensor, shape] : inputs_of(config))
      tensors.push_back(
          f32_tensor(tensor, {shape.dims().begin(), shape.dims().end()}, values(shape.elements())));
    if (!tensors.empty())
      out[name] = bundle({{"config.json", config},
                          {"model.safetensors", safetensors(tensors)},
                          {"tokenizer.json", kTokenizer}});
  }
  std::vector<RawTensor> recurrent;
  const std::pair<const char *, std::vector<uint64_t>> shapes[] = {
      {"embedding.weight", {6, 4}}, {"lstm.weight_ih_l0", {16, 4}}, {"lstm.weight_hh_l0", {16, 4}},
      {"lstm.bias_ih_l0", {16}},    {"lstm.bias_hh_l0", {16}},      {"attn.weight", {4, 4}},
      {"score.weight", {1, 4}},     {"out.weight", {2, 4}},         {"out.bias", {2}}};
  for (const auto &[name, shape] : shapes)
    recurrent.push_back(f32_tensor(name, shape, values(shape.size() == 1 ? shape[0] : shape[0] * shape[1])));
  out["lstm"] = bundle(
      {{"config.json", R"({"model_type":"lstm_attention"})"}, {"model.safetensors", safetensors(recurrent)}});
  // Larger ones without weights: their plan is made, and then says what is missing.
  for (const auto &[name, config] : tiny_configs())
    if (!out.contains(name)) out[name] = bundle({{"config.json", config}, {"tokenizer.json", kTokenizer}});
  const std::string kinds = safetensors({f32_tensor("f32", {2, 2}, {1, 2, 3, 4}),
                                         {"f16", "F16", {3}, raw(std::vector<uint16_t>{0x3C00, 0xC000, 1})},
                                         {"bf16", "BF16", {2}, raw(std::vector<uint16_t>{0x3F80, 0xC040})},
                                         {"f64", "F64", {1}, raw(0.25)},
                                         {"i64", "I64", {2}, raw(std::vector<int64_t>{-3, 9})},
                                         {"u8", "U8", {2}, raw(std::vector<uint8_t>{0, 255})},
                                         {"bool", "BOOL", {2}, raw(std::vector<uint8_t>{0, 1})},
                                         {"scalar", "F32", {}, raw(7.f)},
                                         {"empty", "F32", {0, 4}, ""}});
  out["kinds"] = bundle({{"model.safetensors", kinds}});
  out["shards"] = bundle({{"model-1.safetensors", safetensors({f32_tensor("a", {1}, {1})})},
                          {"model-2.safetensors", safetensors({f32_tensor("b", {1}, {2})})},
                          {"model.safetensors.index.json",
                           R"({"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}})"},
                          {"config.json", "{}"}});
  return out;
}

Seeds gguf_seeds() {
  Seeds out;
  for (const char *family : {"llama", "qwen2", "qwen3", "gemma3"}) out[family] = gguf_model(family).bytes();
  GgufFile blocks;
  blocks.add("general.architecture", "llama");
  const std::pair<uint32_t, size_t> types[] = {{1, 512},  {2, 144},  {3, 160},  {6, 176},
                                               {7, 192},  {8, 272},  {12, 144}, {13, 176},
                                               {14, 210}, {30, 512}, {24, 256}, {28, 2048}};
  for (const auto &[type, bytes] : types)
    blocks.tensors.push_back(
        {concat("blk.", type, ".attn_norm.weight"), {1, 256}, type, std::string(bytes, '\x35')});
  out["blocks"] = blocks.bytes();
  return out;
}

Seeds ggml_seeds() {
  Seeds out;
  const std::vector<GgmlTensor> two = {
      {"encoder.conv1.bias", 0, {2, 1}, raw(std::vector<float>{1, 2})},
      {"encoder.conv1.weight", 1, {2, 1, 3}, raw(std::vector<uint16_t>(6, 0x3C00))}};
  out["two"] = whisper_ggml({51864, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1}, 2, 3, {0, 1, 2, 3, 4, 5},
                            {"a", "", std::string("\xE2\x82\0", 3)}, two);
  // All that a model of one layer asks for, under OpenAI's names.
  const std::pair<const char *, std::vector<int32_t>> encoder[] = {
      {"conv1.weight", {8, 4, 3}}, {"conv1.bias", {8, 1}},           {"conv2.weight", {8, 8, 3}},
      {"conv2.bias", {8, 1}},      {"positional_embedding", {8, 8}}, {"ln_post.weight", {8}},
      {"ln_post.bias", {8}}};
  const std::pair<const char *, std::vector<int32_t>> decoder[] = {{"positional_embedding", {8, 8}},
                                                                   {"token_embedding.weight", {51864, 8}},
                                                                   {"ln.weight", {8}},
                                                                   {"ln.bias", {8}}};
  std::vector<GgmlTensor> all;
  const auto add = [&](const std::string &name, const std::vector<int32_t> &shape) {
    size_t n = 4;
    for (const int32_t d : shape) n *= size_t(d);
    if (n < 1 << 14) all.push_back({name, 0, shape, std::string(n, '\0')});
  };
  for (const auto &[name, shape] : encoder) add(concat("encoder.", name), shape);
  for (const auto &[name, shape] : decoder) add(concat("decoder.", name), shape);
  for (const char *side : {"encoder.blocks.0.", "decoder.blocks.0."}) {
    for (const char *attention : {"attn", "cross_attn"}) {
      if (side[0] == 'e' && attention[0] == 'c') continue;
      for (const char *part : {".query", ".key", ".value", ".out"}) {
        add(concat(side, attention, part, ".weight"), {8, 8});
        if (part[1] != 'k') add(concat(side, attention, part, ".bias"), {8});
      }
      for (const char *end : {".weight", ".bias"}) add(concat(side, attention, "_ln", end), {8});
    }
    add(concat(side, "mlp.0.weight"), {32, 8});
    add(concat(side, "mlp.0.bias"), {32});
    add(concat(side, "mlp.2.weight"), {8, 32});
    for (const char *name : {"mlp.2.bias", "mlp_ln.weight", "mlp_ln.bias"}) add(concat(side, name), {8});
  }
  out["layer"] =
      whisper_ggml({51864, 8, 8, 2, 1, 8, 8, 2, 1, 4, 0}, 4, 3, std::vector<float>(12), {"a", "b"}, all);
  return out;
}

Seeds pytorch_seeds() {
  Seeds out;
  const auto storage = [](std::string key, const std::vector<float> &v) {
    return TorchStorage{std::move(key), "FloatStorage", int64_t(v.size()), raw(v)};
  };
  const TorchStorage shared = storage("0", values(12));
  const std::vector<TorchTensor> kinds = {
      {"plain", shared, 0, {3, 4}, {4, 1}},
      {"transposed", shared, 0, {4, 3}, {1, 4}},
      {"slice", shared, 5, {2, 2}, {4, 2}},
      {"f16", {"1", "HalfStorage", 3, raw(std::vector<uint16_t>{0x3C00, 0xC000, 1})}, 0, {3}, {1}},
      {"i64", {"4", "LongStorage", 2, raw(std::vector<int64_t>{-3, 9})}, 0, {2}, {1}},
      {"bool", {"9", "BoolStorage", 2, raw(std::vector<uint8_t>{0, 1})}, 0, {2}, {1}},
      {"empty", {"10", "FloatStorage", 0, ""}, 0, {0, 3}, {3, 1}}};
  out["zip"] = bundle({{"pytorch_model.bin", pytorch_zip(kinds)}});
  out["zip64"] = bundle({{"pytorch_model.bin", pytorch_zip(kinds, true)}});
  out["legacy"] = bundle({{"pytorch_model.bin", pytorch_legacy(kinds)}});
  for (const char *name : {"gpt2", "bert"}) {
    std::vector<TorchTensor> tensors;
    for (const auto &[tensor, shape] : inputs_of(tiny_configs().at(name))) {
      std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end()), strides(dims.size(), 1);
      for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
      tensors.push_back(
          {tensor, storage(concat(tensors.size()), values(shape.elements())), 0, dims, strides});
    }
    if (!tensors.empty())
      out[name] =
          bundle({{"config.json", tiny_configs().at(name)}, {"pytorch_model.bin", pytorch_zip(tensors)}});
  }
  return out;
}

} // namespace fovea::fuzz
