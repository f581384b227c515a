// Whisper (Radford et al., 2022): names and shapes of its tensors in Hugging Face folders and in
// whisper.cpp's ggml files, and what goes into the flat file. All sizes, tiny to large-v3-turbo.
#include "converter/architectures/architecture.h"

#include "converter/architectures/whisper_graphs.h"
#include "converter/architectures/whisper_tokens.h"
#include "converter/features/mel.h"
#include "converter/json.h"
#include "converter/tokenizers/tokenizer.h"

#include <filesystem>

namespace fovea {
namespace {

using whisper::Sizes;

Sizes read_sizes(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  Sizes s;
  s.n_mels = c.get_u32("num_mel_bins");
  s.positions = c.get_u32("max_source_positions");
  s.context = c.get_u32("max_target_positions");
  s.vocabulary = c.get_u32("vocab_size");
  s.width = c.get_u32("d_model");
  s.encoder_layers = c.get_u32("encoder_layers");
  s.encoder_heads = c.get_u32("encoder_attention_heads");
  s.encoder_ffn = c.get_u32("encoder_ffn_dim");
  s.decoder_layers = c.get_u32("decoder_layers");
  s.decoder_heads = c.get_u32("decoder_attention_heads");
  s.decoder_ffn = c.get_u32("decoder_ffn_dim");
  s.time_begin = s.vocabulary;
  s.cache = encoding == Encoding::F32 ? Encoding::F32 : Encoding::F16;
  const auto check = [&](const char *key, uint32_t value, uint32_t low, uint32_t high) {
    if (value < low || value > high)
      fail(ErrorCode::InvalidFile, c.path(), ": ", key, " is ", value, ", expected ", low, " to ", high);
  };
  check("num_mel_bins", s.n_mels, 1, 1024);
  check("max_source_positions", s.positions, 2, 1 << 16);
  check("max_target_positions", s.context, 2, 1 << 16);
  check("vocab_size", s.vocabulary, 2, 1 << 20);
  check("d_model", s.width, 2, 1 << 14);
  check("encoder_layers", s.encoder_layers, 1, 256);
  check("decoder_layers", s.decoder_layers, 1, 256);
  for (const uint32_t heads : {s.encoder_heads, s.decoder_heads})
    if (heads == 0 || s.width % heads != 0)
      fail(ErrorCode::InvalidFile, c.path(), ": d_model ", s.width, " is not a multiple of ", heads,
           " heads");
  if (const auto activation = c.find_string("activation_function"); activation && *activation != "gelu")
    fail(ErrorCode::Unsupported, c.path(), ": activation_function '", *activation,
         "'; Whisper models use gelu");
  if (c.find_bool("scale_embedding").value_or(false))
    fail(ErrorCode::Unsupported, c.path(), ": scale_embedding is true; no published Whisper model sets it");
  return s;
}

// The two naming schemes of the same tensors; the layer's number goes between a layer's prefix and the rest.
struct Names {
  const char *encoder, *decoder; // of a layer
  const char *self, *cross;      // attention inside a layer
  const char *q, *k, *v, *o;
  const char *ln, *ln_cross, *ln_mlp, *fc1, *fc2;
  const char *conv1, *conv2, *encoder_positions, *encoder_ln;
  const char *token, *decoder_positions, *decoder_ln;
};
// clang-format off
constexpr Names kHuggingFace = {"encoder.layers.", "decoder.layers.", "self_attn", "encoder_attn",
                                "q_proj", "k_proj", "v_proj", "out_proj",
                                "self_attn_layer_norm", "encoder_attn_layer_norm", "final_layer_norm", "fc1", "fc2",
                                "encoder.conv1", "encoder.conv2", "encoder.embed_positions.weight",
                                "encoder.layer_norm",
                                "decoder.embed_tokens.weight", "decoder.embed_positions.weight", "decoder.layer_norm"};
constexpr Names kGgml = {"encoder.blocks.", "decoder.blocks.", "attn", "cross_attn",
                         "query", "key", "value", "out",
                         "attn_ln", "cross_attn_ln", "mlp_ln", "mlp.0", "mlp.2",
                         "encoder.conv1", "encoder.conv2", "encoder.positional_embedding", "encoder.ln_post",
                         "decoder.token_embedding.weight", "decoder.positional_embedding", "decoder.ln"};
// clang-format on

class TensorMap {
public:
  TensorMap(const Source &source, const Sizes &sizes, ModelPlan &plan)
      : sizes_(sizes), plan_(plan), names_(source.vocabulary().empty() ? kHuggingFace : kGgml) {
    if (source.find("model.encoder.conv1.weight")) prefix_ = "model.";
  }

  void add_all() {
    const uint64_t d = sizes_.width;
    conv("enc.conv1", names_.conv1, sizes_.n_mels);
    conv("enc.conv2", names_.conv2, d);
    plan_.add_tensor("enc.pos", {sizes_.positions, d}, TensorClass::Exact,
                     prefix_ + names_.encoder_positions);
    for (uint32_t i = 0; i < sizes_.encoder_layers; ++i) {
      const std::string to = concat("enc.", i), from = concat(prefix_, names_.encoder, i, ".");
      attention(to + ".", from, names_.ln, names_.self, "ln");
      mlp(to, from, sizes_.encoder_ffn);
    }
    norm("enc.ln", prefix_ + names_.encoder_ln);
    plan_.add_tensor("dec.tok", {sizes_.vocabulary, d}, TensorClass::Vocabulary, prefix_ + names_.token);
    plan_.add_tensor("dec.pos", {sizes_.context, d}, TensorClass::Exact, prefix_ + names_.decoder_positions);
    for (uint32_t i = 0; i < sizes_.decoder_layers; ++i) {
      const std::string to = concat("dec.", i), from = concat(prefix_, names_.decoder, i, ".");
      attention(to + ".", from, names_.ln, names_.self, "ln");
      attention(to + ".cross_", from, names_.ln_cross, names_.cross, "ln_cross");
      mlp(to, from, sizes_.decoder_ffn);
    }
    norm("dec.ln", prefix_ + names_.decoder_ln);
    plan_.ignored = {"proj_out.weight", "mel_filters"};
  }

private:
  // [N, C, 3] → [N, 3 C], taps outermost: what conv1d reads as one stretch of rows.
  void conv(const std::string &to, const std::string &from, uint64_t channels) {
    const uint64_t n = sizes_.width;
    OutputTensor w{to + ".w",
                   {n, 3 * channels},
                   TensorClass::Sensitive,
                   {{prefix_ + from + ".weight", {n, channels, 3}}},
                   {}};
    w.combine = [n, channels](std::span<const std::vector<float>> inputs) {
      std::vector<float> out(inputs[0].size());
      for (uint64_t row = 0; row < n; ++row)
        for (uint64_t c = 0; c < channels; ++c)
          for (uint64_t j = 0; j < 3; ++j)
            out[(row * 3 + j) * channels + c] = inputs[0][(row * channels + c) * 3 + j];
      return out;
    };
    plan_.tensors.push_back(std::move(w));
    plan_.add_tensor(to + ".b", {n}, TensorClass::Exact, prefix_ + from + ".bias");
  }
  void norm(const std::string &to, const std::string &from) {
    plan_.add_tensor(to + ".g", {sizes_.width}, TensorClass::Exact, from + ".weight");
    plan_.add_tensor(to + ".b", {sizes_.width}, TensorClass::Exact, from + ".bias");
  }
  void linear(const std::string &to, const std::string &from, uint64_t n, uint64_t k,
              TensorClass tensor_class, bool bias = true) {
    plan_.add_tensor(to + ".w", {n, k}, tensor_class, from + ".weight");
    if (bias) plan_.add_tensor(to + ".b", {n}, TensorClass::Exact, from + ".bias");
  }
  void attention(const std::string &to, const std::string &layer, const char *ln, const char *block,
                 const char *ln_to) {
    const uint64_t d = sizes_.width;
    const std::string from = concat(layer, block, ".");
    norm(to.substr(0, to.rfind('.') + 1) + ln_to, layer + ln);
    linear(to + "q", from + names_.q, d, d, matrix_class(d));
    linear(to + "k", from + names_.k, d, d, matrix_class(d), false);
    linear(to + "v", from + names_.v, d, d, TensorClass::Delicate);
    linear(to + "o", from + names_.o, d, d, matrix_class(d));
  }
  void mlp(const std::string &to, const std::string &layer, uint64_t ffn) {
    norm(to + ".ln_mlp", layer + names_.ln_mlp);
    linear(to + ".fc1", layer + names_.fc1, ffn, sizes_.width, matrix_class(sizes_.width));
    linear(to + ".fc2", layer + names_.fc2, sizes_.width, ffn, TensorClass::Delicate);
  }

  const Sizes &sizes_;
  ModelPlan &plan_;
  const Names &names_;
  std::string prefix_;
};

void add_audio_metadata(const Sizes &s, ModelPlan &plan) {
  plan.add("fovea.audio.sample_rate", whisper::kSampleRate);
  plan.add("fovea.audio.window_samples", 2 * s.positions * whisper::kHop);
  plan.add("fovea.audio.hop", whisper::kHop);
  plan.add("fovea.audio.context_before", whisper::kContextBefore);
  plan.add("fovea.audio.context_after", whisper::kContextAfter);
  plan.add("fovea.transcribe.frames", 2 * s.positions);
  plan.add("fovea.transcribe.positions", s.positions);
  plan.add("fovea.transcribe.context", s.context);
  plan.add("fovea.transcribe.vocabulary", s.vocabulary);
}

void check_preprocessor(const Source &source, const Sizes &s) {
  const auto text = source.text("preprocessor_config.json");
  if (!text) return;
  const Config c = Config::parse(*text, source.text_path("preprocessor_config.json"));
  const auto expect = [&](const char *key, uint32_t wanted) {
    const auto value = c.find_u32(key);
    if (value && *value != wanted)
      fail(ErrorCode::Unsupported, c.path(), ": ", key, " is ", *value, ", this architecture needs ", wanted);
  };
  expect("feature_size", s.n_mels);
  expect("hop_length", whisper::kHop);
  expect("n_fft", whisper::kWindow);
  expect("sampling_rate", whisper::kSampleRate);
}

ModelPlan build(const Source &source, Encoding encoding) {
  Sizes sizes = read_sizes(source, encoding);
  check_preprocessor(source, sizes);
  ModelPlan plan;
  plan.architecture = "whisper";
  plan.add("general.name", std::filesystem::path(source.path()).lexically_normal().filename().string());
  plan.add("fovea.run.graphs", std::vector<std::string>{"features", "encode", "decoder"});
  add_audio_metadata(sizes, plan);

  std::vector<float> suppress;
  // Without a tokenizer the graphs still run; only the transcription task needs words.
  if (auto tokenizer = read_tokenizer(source, sizes.vocabulary)) {
    whisper::Tokens tokens = whisper::read_tokens(source, *tokenizer);
    if (tokens.time_begin >= 0) sizes.time_begin = uint32_t(tokens.time_begin);
    plan.add("fovea.task", std::string("transcribe"));
    add_metadata(tokens, plan);
    add_tokenizer_metadata(*tokenizer, plan);
    suppress = std::move(tokens.suppress);
  } else {
    suppress.resize(sizes.vocabulary);
    plan.add("fovea.task.missing", std::string("tokenizer"));
    warn_no_tokenizer(source, "`fovea transcribe` will not work, `fovea run` will", plan);
  }
  for (const Graph &graph : whisper::graphs(sizes))
    plan.graphs.emplace_back(graph.name(), print_graph(graph));

  TensorMap(source, sizes, plan).add_all();
  const uint32_t n_mels = sizes.n_mels;
  plan.add_computed("mel.basis", {2 * whisper::kPaddedBins, whisper::kWindow}, TensorClass::Exact,
                    [] { return fourier_basis(whisper::kWindow, whisper::kPaddedBins); });
  plan.add_computed("mel.filters", {n_mels, whisper::kPaddedBins}, TensorClass::Exact, [n_mels] {
    return mel_filters(n_mels, whisper::kWindow, whisper::kPaddedBins, whisper::kSampleRate);
  });
  plan.add_computed("suppress", {sizes.vocabulary}, TensorClass::Exact, [suppress] { return suppress; });
  return plan;
}

} // namespace

extern const Architecture kWhisper;
const Architecture kWhisper = {"whisper", {"whisper"}, build};

} // namespace fovea
