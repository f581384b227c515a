// Whisper models through the converter: real weights in every encoding, and the same model from a Hugging
// Face folder and from whisper.cpp's format.
#include "base/half.h"
#include "converter/convert.h"
#include "converter/json.h"
#include "format/flat_file.h"
#include "format/model_file.h"
#include "graph/graph.h"
#include "ops/registry.h"
#include "tests/support/shared_folder.h"
#include "tests/support/source_files.h"
#include "tests/support/temp_folder.h"
#include "text/byte_alphabet.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

/// Every graph of the file parses and its types follow, with the file's own tensors.
void check_graphs_of(const ModelFile &file) {
  const WeightTypes types = [&](const std::string &name) {
    const TensorInfo *tensor = file.find(name);
    return tensor ? &tensor->type : nullptr;
  };
  REQUIRE_FALSE(file.graph_names().empty());
  for (const std::string_view name : file.graph_names()) {
    const Graph graph = parse_graph(file.graph_text(name), op_table());
    CHECK(print_graph(graph) == file.graph_text(name));
    CHECK_NOTHROW((void)infer_types(graph, {{"B", 1}, {"T", 3}, {"N", 16000}}, types));
  }
}

/// A Hugging Face name as OpenAI's code, and so whisper.cpp, calls it.
std::string openai_name(std::string name) {
  const std::pair<std::string_view, std::string_view> words[] = {
      {"model.", ""},
      {"layers.", "blocks."},
      {"encoder_attn_layer_norm", "cross_attn_ln"},
      {"self_attn_layer_norm", "attn_ln"},
      {"final_layer_norm", "mlp_ln"},
      {"encoder_attn", "cross_attn"},
      {"self_attn", "attn"},
      {"q_proj", "query"},
      {"k_proj", "key"},
      {"v_proj", "value"},
      {"out_proj", "out"},
      {"fc1", "mlp.0"},
      {"fc2", "mlp.2"},
      {"embed_positions.weight", "positional_embedding"},
      {"embed_tokens", "token_embedding"},
      {"encoder.layer_norm", "encoder.ln_post"},
      {"decoder.layer_norm", "decoder.ln"}};
  for (const auto &[from, to] : words)
    if (const size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  return name;
}

std::string as_ggml(const Source &source) {
  const Config c = Config::parse(*source.text("config.json"), "config.json");
  std::vector<int32_t> hyperparameters;
  for (const char *key :
       {"vocab_size", "max_source_positions", "d_model", "encoder_attention_heads", "encoder_layers",
        "max_target_positions", "d_model", "decoder_attention_heads", "decoder_layers", "num_mel_bins"})
    hyperparameters.push_back(int32_t(c.get_u32(key)));
  hyperparameters.push_back(1); // f16
  std::vector<GgmlTensor> tensors;
  for (const SourceTensor &t : source.tensors()) {
    if (t.name == "proj_out.weight") continue;
    std::vector<int32_t> shape(t.shape.dims().begin(), t.shape.dims().end());
    if (t.name.find("conv") != std::string::npos && shape.size() == 1)
      shape.push_back(1); // as its converter does
    const std::vector<float> values = source.read(t.name);
    std::vector<uint16_t> halves(values.size()); // the source is f16
    std::ranges::transform(values, halves.begin(), float_to_half);
    const bool plain = shape.size() == 1; // f32 in such files
    tensors.push_back({openai_name(t.name), plain ? 0 : 1, shape, plain ? raw(values) : raw(halves)});
  }
  const Json vocabulary = Json::parse(*source.text("vocab.json"));
  std::vector<std::string> tokens(50256); // the words; special tokens are not in the file
  for (const auto &[text, id] : vocabulary.items())
    if (id.get<size_t>() < tokens.size()) tokens[id.get<size_t>()] = alphabet_to_bytes(text).value();
  return whisper_ggml(hyperparameters, 80, 201, std::vector<float>(80 * 201), tokens, tensors);
}

} // namespace

TEST_CASE("whisper: real weights in every encoding") {
  const std::string source = shared_path("models/whisper-tiny.en");
  if (source.empty()) return;
  const TempFolder folder;
  for (const Encoding encoding : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4}) {
    CAPTURE(to_string(encoding));
    const ConvertReport report = convert(source, folder / "m", {encoding, 0, {}});
    const ModelFile file(folder / "m");
    file.verify();
    check_graphs_of(file);
    CHECK(file.tensors().size() == report.tensors.size());
    for (const TensorReport &t : report.tensors) {
      CAPTURE(t.name);
      const Encoding e = t.type.encoding;
      CHECK(t.error.relative_rms() <= (e == Encoding::Q4 ? 0.13 : e == Encoding::Q8 ? 0.009 : 0));
    }
    CHECK(file.get_strings("tokenizer.ggml.tokens").size() == 51864);
  }
}

TEST_CASE("whisper: a ggml file gives the same tensors and tokens as the folder it was made from") {
  const std::string path = shared_path("models/whisper-tiny.en");
  if (path.empty()) return;
  const TempFolder folder;
  write_file(folder / "m.bin", as_ggml(open_source(path)));
  convert(path, folder / "hf", {Encoding::Q8, 0, {}});
  convert(folder / "m.bin", folder / "ggml", {Encoding::Q8, 0, {}});
  const ModelFile hf(folder / "hf"), ggml(folder / "ggml");
  check_graphs_of(ggml);
  REQUIRE(hf.tensors().size() == ggml.tensors().size());
  for (const TensorInfo &t : hf.tensors()) {
    const TensorInfo &other = ggml.require(t.name);
    CAPTURE(t.name);
    CHECK(t.type == other.type);
    CHECK(std::ranges::equal(hf.plane(t), ggml.plane(other)));
    CHECK(std::ranges::equal(hf.scales(t), ggml.scales(other)));
  }
  const auto a = hf.get_strings("tokenizer.ggml.tokens"), b = ggml.get_strings("tokenizer.ggml.tokens");
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && a[i] != "<|iw|>" && a[i] != "<|nocaptions|>") // since renamed to he and nospeech
      FAIL_CHECK("token " << i << ": '" << a[i] << "', '" << b[i] << "'");
  for (const MetaEntry &entry : hf.metadata()) {
    if (!entry.key.starts_with("fovea.")) continue;
    const MetaValue *other = ggml.find_meta(entry.key);
    CAPTURE(entry.key);
    if (entry.key == kChecksumKey || entry.key.starts_with("fovea.tokenizer.")) continue;
    REQUIRE(other);
    CHECK(std::ranges::equal(entry.value.payload, other->payload));
  }
}
