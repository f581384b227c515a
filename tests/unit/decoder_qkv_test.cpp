// The matrices of q, k and v of decoder-only models: joined where one encoding fits all three.
#include "converter/architectures/architecture.h"
#include "converter/convert.h"
#include "converter/quantize/quantize.h"
#include "format/model_file.h"
#include "tests/support/source_files.h"
#include "tests/support/temp_folder.h"

#include <cmath>
#include <doctest/doctest.h>
#include <map>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr uint64_t kHeads = 4, kKvHeads = 2, kHeadSize = 8, kFfn = 32, kVocabulary = 6;
constexpr uint64_t kQ = kHeads * kHeadSize, kKv = kKvHeads * kHeadSize;

std::vector<float> noise(size_t n, float seed) {
  std::vector<float> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = std::sin(float(i) * 0.37f + seed) * 0.1f;
  return out;
}

/// A model of one layer, and its tensors of attention by their names in the source.
std::map<std::string, std::vector<float>> write_source(const TempFolder &folder, const std::string &type,
                                                       uint64_t width, bool bias) {
  std::map<std::string, std::vector<float>> kept;
  std::vector<RawTensor> tensors;
  float seed = 0;
  const auto add = [&](const std::string &name, std::vector<uint64_t> shape) {
    uint64_t n = 1;
    for (const uint64_t d : shape) n *= d;
    kept[name] = noise(n, ++seed);
    tensors.push_back(f32_tensor(concat("model.", name), std::move(shape), kept[name]));
  };
  const std::string layer = "layers.0.", attention = layer + "self_attn.";
  add("embed_tokens.weight", {kVocabulary, width});
  add("norm.weight", {width});
  add(layer + "input_layernorm.weight", {width});
  add(layer + "post_attention_layernorm.weight", {width});
  for (const auto &[name, n] : {std::pair{"q_proj", kQ}, {"k_proj", kKv}, {"v_proj", kKv}}) {
    add(concat(attention, name, ".weight"), {n, width});
    if (bias) add(concat(attention, name, ".bias"), {n});
  }
  if (type == "qwen3")
    for (const char *name : {"q_norm", "k_norm"}) add(concat(attention, name, ".weight"), {kHeadSize});
  add(attention + "o_proj.weight", {width, kQ});
  add(layer + "mlp.gate_proj.weight", {kFfn, width});
  add(layer + "mlp.up_proj.weight", {kFfn, width});
  add(layer + "mlp.down_proj.weight", {width, kFfn});
  std::filesystem::create_directories(folder / "src");
  write_file(folder / "src/model.safetensors", safetensors(tensors));
  write_file(folder / "src/config.json",
             concat("{\"model_type\": \"", type, "\", \"hidden_size\": ", width,
                    ", \"head_dim\": ", kHeadSize, ", \"intermediate_size\": ", kFfn,
                    ", \"num_hidden_layers\": 1, \"vocab_size\": ", kVocabulary,
                    ", \"num_attention_heads\": ", kHeads, ", \"num_key_value_heads\": ", kKvHeads,
                    ", \"tie_word_embeddings\": true}"));
  return kept;
}

/// Bytes of the encoding of some of a model's tensors of attention, one after the other.
EncodedRows encoded(const std::map<std::string, std::vector<float>> &source, const char *kind,
                    std::initializer_list<const char *> names, Encoding encoding, uint64_t row_length) {
  EncodedRows all;
  EncodingError error;
  for (const char *name : names) {
    const EncodedRows rows = encode(encoding, source.at(concat("layers.0.self_attn.", name, "_proj.", kind)),
                                    row_length, name, error);
    all.codes.insert(all.codes.end(), rows.codes.begin(), rows.codes.end());
    all.scales.insert(all.scales.end(), rows.scales.begin(), rows.scales.end());
  }
  return all;
}

void check_tensor(const ModelFile &file, const char *name, const TensorType &type,
                  const EncodedRows &expected) {
  CAPTURE(name);
  const TensorInfo &info = file.require(name);
  CHECK(info.type == type);
  const auto codes = file.plane(info), scales = file.scales(info);
  CHECK(std::equal(codes.begin(), codes.end(), expected.codes.begin(), expected.codes.end()));
  CHECK(std::equal(scales.begin(), scales.end(), expected.scales.begin(), expected.scales.end()));
}

} // namespace

TEST_CASE("qkv: joined rows are those of the separate tensors, bit by bit") {
  for (const auto &[name, bias] : {std::pair{"llama", false}, {"mistral", false}, {"qwen2", true}})
    for (const Encoding encoding : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4}) {
      const char *const type = name;
      CAPTURE(type);
      const TempFolder folder;
      const uint64_t width = 64; // narrow: q4 keeps every matrix at q8
      const auto source = write_source(folder, type, width, bias);
      convert(folder / "src", folder / "out", {encoding, 1, {}});
      const ModelFile file(folder / "out");
      const Encoding kept = encoding == Encoding::Q4 ? Encoding::Q8 : encoding;
      check_tensor(file, "dec.0.qkv.w", {{kQ + 2 * kKv, width}, kept},
                   encoded(source, "weight", {"q", "k", "v"}, kept, width));
      if (bias)
        check_tensor(file, "dec.0.qkv.b", {{kQ + 2 * kKv}, Encoding::F32},
                     encoded(source, "bias", {"q", "k", "v"}, Encoding::F32, 1));
      for (const char *apart : {"dec.0.q.w", "dec.0.k.w", "dec.0.v.w", "dec.0.v.b"}) CHECK(!file.find(apart));
      CHECK(file.graph_text("step").find("rope_qkv(qkv, rope.0, k.0, v.0) heads=4 kv_heads=2 at=pos") !=
            std::string::npos);
      CHECK(file.graph_text("forward").find("rope_qkv") == std::string::npos);
    }
}

TEST_CASE("qkv: values that q4 keeps at q8 stay a matrix of their own") {
  const TempFolder folder;
  const uint64_t width = 768;
  const auto source = write_source(folder, "qwen2", width, true);
  for (const bool pure : {false, true}) {
    convert(folder / "src", folder / "out", {Encoding::Q4, 1, {}, pure});
    const ModelFile file(folder / "out");
    const Encoding values = pure ? Encoding::Q4 : Encoding::Q8;
    check_tensor(file, "dec.0.qk.w", {{kQ + kKv, width}, Encoding::Q4},
                 encoded(source, "weight", {"q", "k"}, Encoding::Q4, width));
    check_tensor(file, "dec.0.v.w", {{kKv, width}, values}, encoded(source, "weight", {"v"}, values, width));
    check_tensor(file, "dec.0.qk.b", {{kQ + kKv}, Encoding::F32},
                 encoded(source, "bias", {"q", "k"}, Encoding::F32, 1));
    check_tensor(file, "dec.0.v.b", {{kKv}, Encoding::F32}, encoded(source, "bias", {"v"}, Encoding::F32, 1));
    CHECK(file.graph_text("step").find("rope_qkv(qk, rope.0, k.0) heads=4 kv_heads=2 at=pos") !=
          std::string::npos);
  }
}

TEST_CASE("qkv: heads that are normalized keep their matrices") {
  const TempFolder folder;
  const auto source = write_source(folder, "qwen3", 64, false);
  convert(folder / "src", folder / "out", {Encoding::F16, 1, {}});
  const ModelFile file(folder / "out");
  check_tensor(file, "dec.0.k.w", {{kKv, 64}, Encoding::F16},
               encoded(source, "weight", {"k"}, Encoding::F16, 64));
  CHECK(file.graph_text("step").find("rope_qkv") == std::string::npos);
}
