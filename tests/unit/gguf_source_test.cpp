// llama.cpp's GGUF files as a source: names, settings, row order and block types in Hugging Face's terms.
#include "converter/json.h"
#include "converter/sources/source.h"
#include "format/gguf_writer.h"
#include "tests/support/gguf_files.h"
#include "tests/support/shared_folder.h"
#include "tests/support/temp_folder.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <numeric>
#include <random>

using namespace fovea;
using namespace fovea::test;

namespace {

std::vector<float> counted(size_t n) {
  std::vector<float> out(n);
  std::iota(out.begin(), out.end(), 0.f);
  return out;
}

/// Width 8, two heads of four, one head of keys.
GgufFile sample(const std::string &family = "llama") {
  GgufFile out;
  out.add("general.architecture", family.c_str());
  const auto add = [&](const char *key, auto value) { out.add(concat(family, ".", key), value); };
  add("block_count", 1u);
  add("context_length", 64u);
  add("embedding_length", 8u);
  add("feed_forward_length", 32u);
  add("attention.head_count", 2u);
  add("attention.head_count_kv", 1u);
  add("attention.layer_norm_rms_epsilon", 1e-5f);
  add("rope.dimension_count", 4u);
  add("rope.freq_base", 500000.f);
  out.add("tokenizer.ggml.eos_token_id", 2u);
  out.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "", "b"});
  out.add_f32("token_embd.weight", {3, 8}, counted(24));
  out.add_f32("output_norm.weight", {8}, counted(8));
  out.add_f32("blk.0.attn_q.weight", {8, 8}, counted(64));
  out.add_f32("blk.0.attn_k.weight", {4, 8}, counted(32));
  out.add_f32("blk.0.ffn_norm.weight", {8}, counted(8));
  return out;
}

std::string fault(const TempFolder &folder, const std::string &bytes, const char *name = "m.gguf") {
  write_file(folder / name, bytes);
  try {
    (void)open_source(folder / name);
  } catch (const Error &error) {
    std::string text = error.what();
    const std::string path = folder / name + ": ";
    return text.starts_with(path) ? text.substr(path.size()) : text;
  }
  return "read";
}

Json config(const TempFolder &folder, const GgufFile &file) {
  CHECK(fault(folder, file.bytes()) == "read");
  return parse_json(*open_source(folder / "m.gguf").text("config.json"), "config.json");
}

} // namespace

TEST_CASE("gguf source: names, settings and the row order of a Hugging Face folder") {
  const TempFolder folder;
  const Json c = config(folder, sample());
  CHECK(c["model_type"] == "llama");
  CHECK(c["hidden_size"] == 8);
  CHECK(c["head_dim"] == 4);
  CHECK(c["num_attention_heads"] == 2);
  CHECK(c["num_key_value_heads"] == 1);
  CHECK(c["intermediate_size"] == 32);
  CHECK(c["rms_norm_eps"] == 1e-5);
  CHECK(c["rope_theta"] == 500000);
  CHECK(c["vocab_size"] == 3);
  CHECK(c["tie_word_embeddings"] == true);
  CHECK(c["eos_token_id"] == 2);
  CHECK_FALSE(c.contains("rope_scaling"));

  const Source source = open_source(folder / "m.gguf");
  CHECK(source.format() == "GGUF file");
  CHECK(source.read("model.norm.weight") == counted(8));
  CHECK(source.read("model.layers.0.post_attention_layernorm.weight") == counted(8));
  CHECK(source.read("model.embed_tokens.weight") == counted(24));
  // Stored rows of a head: 0, half, 1, half + 1.
  const auto rows = [&](const char *name) {
    const std::vector<float> values = source.read(name);
    std::vector<int> out;
    for (size_t i = 0; i < values.size(); i += 8) {
      out.push_back(int(values[i]) / 8);
      for (size_t k = 0; k < 8; ++k) CHECK(values[i + k] == values[i] + float(k));
    }
    return out;
  };
  CHECK(rows("model.layers.0.self_attn.q_proj.weight") == std::vector<int>{0, 2, 1, 3, 4, 6, 5, 7});
  CHECK(rows("model.layers.0.self_attn.k_proj.weight") == std::vector<int>{0, 2, 1, 3});
}

TEST_CASE("gguf source: other families") {
  const TempFolder folder;
  GgufFile qwen = sample("qwen2");
  qwen.add_f32("blk.0.attn_q.bias", {8}, counted(8));
  qwen.add_f32("output.weight", {3, 8}, counted(24));
  const Json q = config(folder, qwen);
  CHECK(q["model_type"] == "qwen2");
  CHECK(q["tie_word_embeddings"] == false);
  CHECK(open_source(folder / "m.gguf").read("model.layers.0.self_attn.q_proj.weight") ==
        counted(64)); // as stored
  CHECK(open_source(folder / "m.gguf").read("model.layers.0.self_attn.q_proj.bias") == counted(8));

  GgufFile gemma = sample("gemma3");
  gemma.add("gemma3.attention.sliding_window", 512u);
  gemma.add("gemma3.attention.key_length", 4u);
  gemma.add("gemma3.rope.scaling.type", "linear");
  gemma.add("gemma3.rope.scaling.factor", 8.f);
  gemma.add_f32("blk.0.post_attention_norm.weight", {8}, counted(8));
  gemma.add_f32("blk.0.post_ffw_norm.weight", {8}, counted(8));
  const Json g = config(folder, gemma);
  CHECK(g["model_type"] == "gemma3_text");
  CHECK(g["sliding_window"] == 512);
  CHECK(g["sliding_window_pattern"] == 6);
  CHECK(g["rope_local_base_freq"] == 10000);
  CHECK(g["rope_scaling"]["factor"] == 8);
  CHECK(g["query_pre_attn_scalar"] == 4);
  const Source source = open_source(folder / "m.gguf");
  CHECK(source.read("model.norm.weight") ==
        std::vector<float>{-1, 0, 1, 2, 3, 4, 5, 6}); // stored with 1 added
  CHECK(source.find("model.layers.0.pre_feedforward_layernorm.weight"));
  CHECK(source.find("model.layers.0.post_feedforward_layernorm.weight"));
  CHECK(source.find("model.layers.0.post_attention_layernorm.weight"));
}

TEST_CASE("gguf source: rope's scaling, also where only its factors are there") {
  const TempFolder folder;
  GgufFile yarn = sample("qwen3");
  yarn.add("qwen3.rope.scaling.type", "yarn");
  yarn.add("qwen3.rope.scaling.factor", 4.f);
  yarn.add("qwen3.rope.scaling.original_context_length", 16u);
  CHECK(config(folder, yarn)["rope_scaling"] ==
        Json{{"rope_type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 16}});

  // As llama.cpp's converter computes them for rope_type llama3: factor 8, context 64, head size 16.
  GgufFile llama = sample();
  llama.metadata.erase(llama.metadata.begin() + 8); // rope.dimension_count
  llama.add("llama.attention.key_length", 16u);
  llama.tensors.erase(llama.tensors.begin() + 2, llama.tensors.begin() + 4);
  std::vector<float> factors;
  for (int i = 0; i < 8; ++i) {
    const double wave = 2 * 3.141592653589793 * std::pow(500000.0, i / 8.0);
    const double smooth = (64 / wave - 1) / 3;
    factors.push_back(float(wave < 16 ? 1 : wave > 64 ? 8 : 1 / ((1 - smooth) / 8 + smooth)));
  }
  llama.add_f32("rope_freqs.weight", {8}, factors);
  CHECK(config(folder, llama)["rope_scaling"] == Json{{"rope_type", "llama3"},
                                                      {"factor", 8},
                                                      {"low_freq_factor", 1.0},
                                                      {"high_freq_factor", 4.0},
                                                      {"original_max_position_embeddings", 64}});
  CHECK_FALSE(open_source(folder / "m.gguf").find("rope_freqs.weight"));
  llama.tensors.back().bytes = raw(counted(8)); // of no formula
  CHECK(config(folder, llama)["rope_scaling"]["rope_type"] == "longrope");
  CHECK(config(folder, llama)["rope_scaling"]["long_factor"].size() == 8);
}

TEST_CASE("gguf source: blocks are decoded from any element on, also in another row order") {
  const TempFolder folder;
  std::mt19937 random(9);
  for (const auto &[type, block, bytes] : {std::array{8u, 32u, 34u}, {2u, 32u, 18u}, {14u, 256u, 210u}}) {
    GgufFile file = sample();
    std::string data;
    for (uint32_t i = 0; i < 8 * (512 / block) * bytes; ++i) data += char(random() % 64);
    file.tensors[2] = {"blk.0.attn_q.weight", {8, 512}, type, data};
    file.tensors.push_back({"x.weight", {8, 512}, type, data}); // not reordered
    CHECK(fault(folder, file.bytes()) == "read");
    const Source source = open_source(folder / "m.gguf");
    const std::vector<float> q = source.read("model.layers.0.self_attn.q_proj.weight"),
                             x = source.read("x.weight");
    const std::vector<size_t> rows = {0, 2, 1, 3, 4, 6, 5, 7};
    for (size_t r = 0; r < 8; ++r)
      CHECK(std::equal(q.begin() + std::ptrdiff_t(r * 512), q.begin() + std::ptrdiff_t((r + 1) * 512),
                       x.begin() + std::ptrdiff_t(rows[r] * 512)));
    for (const auto &[first, n] : {std::array{0, 1}, {31, 2}, {100, 700}, {513, 3000}, {4095, 1}}) {
      std::vector<float> piece(static_cast<size_t>(n));
      source.read(*source.find("model.layers.0.self_attn.q_proj.weight"), uint64_t(first), piece);
      CHECK(std::equal(piece.begin(), piece.end(), q.begin() + first));
    }
  }
}

TEST_CASE("gguf source: a model split into files") {
  const TempFolder folder;
  GgufFile first = sample(), second;
  for (GgufFile *part : {&first, &second}) part->entry("split.count", 2, raw(uint16_t(2)));
  second.add_f32("blk.0.attn_norm.weight", {8}, counted(8));
  write_file(folder / "m-00001-of-00002.gguf", first.bytes());
  write_file(folder / "m-00002-of-00002.gguf", second.bytes());
  for (const char *name : {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"}) {
    const Source source = open_source(folder / name);
    CHECK(source.read("model.layers.0.input_layernorm.weight") == counted(8));
    CHECK(source.read("model.norm.weight") == counted(8));
  }
  CHECK(fault(folder, first.bytes()) ==
        "one of 2 files of a model, but not named like …-00001-of-00002.gguf");
  std::filesystem::remove(folder / "m-00002-of-00002.gguf");
  CHECK_THROWS_AS((void)open_source(folder / "m-00001-of-00002.gguf"), Error);
}

TEST_CASE("gguf source: what cannot be read is named") {
  const TempFolder folder;
  const auto with = [&](auto change) {
    GgufFile file = sample();
    change(file);
    return fault(folder, file.bytes());
  };
  using F = GgufFile;
  CHECK(with([](F &f) {
          f.metadata[0] =
              F().metadata.emplace_back(gguf_text("general.architecture") + raw(8u) + gguf_text("rwkv6"));
        }).starts_with("a GGUF file of architecture 'rwkv6' (known: llama, mistral3, qwen2, qwen3, gemma3)"));
  CHECK(with([](F &f) { f.add("llama.expert_count", 8u); }) ==
        "metadata 'llama.expert_count' is 8, which fovea convert cannot do");
  CHECK(with([](F &f) { f.add("llama.logit_scale", 0.5f); }) ==
        "metadata 'llama.logit_scale' is 0.5, which fovea convert cannot do");
  CHECK(with([](F &f) { f.add("llama.rope.scaling.type", "longrope"); }) ==
        "metadata 'llama.rope.scaling.type' is \"longrope\", which fovea convert cannot do");
  CHECK(with([](F &f) { f.metadata.erase(f.metadata.begin() + 1); }) ==
        "metadata 'llama.block_count' is missing");
  CHECK(with([](F &f) { f.add("llama.block_count", 1u); }) == "metadata 'llama.block_count' is there twice");
  CHECK(with([](F &f) { f.metadata[1] = gguf_text("llama.block_count") + raw(8u) + gguf_text("x"); }) ==
        "metadata 'llama.block_count' is \"x\", which does not fit");
  CHECK(with([](F &f) {
          f.metadata[1] = gguf_text("llama.block_count") + raw(4u) + raw(900u);
        }).starts_with("900 layers are announced, and there are only "));
  CHECK(with([](F &f) {
          f.tensors[0].type = 10;
        }).starts_with("tensor 'token_embd.weight' has ggml type 10; read are F32, F16"));
  CHECK(with([](F &f) { f.tensors[0].type = 8; }) ==
        "token_embd.weight: 8 elements are no whole number of blocks of q8_0");
  CHECK(with([](F &f) {
          f.tensors[2].shape = {7, 8};
        }) == "tensor 'blk.0.attn_q.weight' [7, 8] is not of 2 heads");
  CHECK(with([](F &f) { f.tensors.back().shape = {1u << 20, 1u << 20}; }).starts_with("truncated: tensor"));
  CHECK(with([](F &f) {
          f.tensors.back().shape = {1ull << 40, 1ull << 40};
        }).find("overflow") != std::string::npos);
  CHECK(with([](F &f) { f.version = 1; }) == "GGUF version 1, expected 2 or 3");
  CHECK(with([](F &f) { f.version = 2; }) == "read");
  CHECK(with([](F &f) { f.entry("x", 9, raw(9u) + raw(uint64_t(1))); }) ==
        "metadata 'x' is an array of arrays");
  CHECK(with([](F &f) { f.entry("x", 9, raw(8u) + raw(uint64_t(1) << 20)); }) ==
        "metadata 'x' has 1048576 strings");
  CHECK(with([](F &f) { f.entry("x", 9, raw(4u) + raw(~uint64_t(0) / 2)); }).find("overflows") !=
        std::string::npos);

  {
    GgufWriter out(folder / "own.gguf");
    out.add("general.architecture", std::string("fovea"));
    out.commit();
  }
  CHECK_THROWS_WITH_AS(
      (void)open_source(folder / "own.gguf"),
      (folder / "own.gguf: already a flat file of fovea convert: run it as it is; for another "
                "encoding convert the original again")
          .c_str(),
      Error);
}

TEST_CASE("gguf source: a real file gives the Hugging Face folder's tensors") {
  const std::string path = shared_path("models/stories260K");
  if (path.empty()) return;
  const Source folder = open_source(path), file = open_source(path + "/stories260K-f32.gguf");
  CHECK(folder.tensors().size() == file.tensors().size());
  for (const SourceTensor &tensor : folder.tensors()) {
    CAPTURE(tensor.name);
    REQUIRE(file.find(tensor.name));
    CHECK(file.find(tensor.name)->shape == tensor.shape);
    CHECK(file.read(tensor.name) == folder.read(tensor.name));
  }
}

TEST_CASE("gguf source: damage is refused or harmless") {
  const TempFolder folder;
  const std::string whole = sample().bytes();
  for (size_t n = 0; n + 32 < whole.size(); n += 5) CHECK(fault(folder, whole.substr(0, n)) != "read");
  const unsigned seed = 23;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = whole;
    for (size_t n = 1 + random() % 3; n-- > 0;)
      damaged[random() % damaged.size()] = char(random() % 3 ? random() : 255);
    if (damaged.substr(0, 4) != whole.substr(0, 4) || fault(folder, damaged) != "read") continue;
    const Source source = open_source(folder / "m.gguf");
    for (const SourceTensor &t : source.tensors()) (void)source.read(t.name);
  }
}
