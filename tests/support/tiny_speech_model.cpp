#include "support/tiny_speech_model.h"

#include "converter/architectures/whisper_graphs.h"
#include "converter/features/mel.h"
#include "exec/tensors.h"

#include <cmath>
#include <random>

namespace fovea::test {
namespace {

constexpr uint32_t kWidth = 32, kMels = 16, kHeads = 2, kFeedForward = 64, kLayers = 2;

whisper::Sizes sizes(const TinySpeechModel &what) {
  whisper::Sizes s;
  s.n_mels = kMels;
  s.positions = kTinyPositions;
  s.context = kTinyContext;
  s.vocabulary = kTinyVocabulary;
  s.width = kWidth;
  s.encoder_layers = s.decoder_layers = kLayers;
  s.encoder_heads = s.decoder_heads = kHeads;
  s.encoder_ffn = s.decoder_ffn = kFeedForward;
  s.time_begin = kTinyTimeBegin;
  s.cache = what.cache;
  return s;
}

class Weights {
public:
  explicit Weights(uint32_t seed) : generator_(seed) {}

  void add(const std::string &name, const Shape &shape, float scale, float mean = 0) {
    HostTensor t({shape, Encoding::F32});
    std::normal_distribution<float> normal(mean, scale);
    for (float &v : t.f) v = normal(generator_);
    add(name, std::move(t));
  }
  void add(const std::string &name, const Shape &shape, std::vector<float> values) {
    HostTensor t({shape, Encoding::F32});
    t.f = std::move(values);
    add(name, std::move(t));
  }
  void norm(const std::string &at) {
    add(at + ".g", {kWidth}, 0.1f, 1);
    add(at + ".b", {kWidth}, 0.1f);
  }
  void linear(const std::string &at, uint64_t n, uint64_t k, bool bias = true) {
    add(at + ".w", {n, k}, 1.5f / std::sqrt(float(k)));
    if (bias) add(at + ".b", {n}, 0.1f);
  }
  void attention(const std::string &at) {
    linear(at + "q", kWidth, kWidth);
    linear(at + "k", kWidth, kWidth, false);
    linear(at + "v", kWidth, kWidth);
    linear(at + "o", kWidth, kWidth);
  }
  void mlp(const std::string &at) {
    norm(at + ".ln_mlp");
    linear(at + ".fc1", kFeedForward, kWidth);
    linear(at + ".fc2", kWidth, kFeedForward);
  }
  std::vector<std::pair<std::string, HostTensor>> all;

private:
  void add(const std::string &name, HostTensor t) { all.emplace_back(name, std::move(t)); }
  std::mt19937 generator_;
};

Weights random_weights(const TinySpeechModel &what) {
  Weights w(what.seed);
  w.linear("enc.conv1", kWidth, 3 * kMels);
  w.linear("enc.conv2", kWidth, 3 * kWidth);
  w.add("enc.pos", {kTinyPositions, kWidth}, 0.5f);
  w.norm("enc.ln");
  w.add("dec.tok", {kTinyVocabulary, kWidth}, 0.7f);
  w.add("dec.pos", {kTinyContext, kWidth}, 0.7f);
  w.norm("dec.ln");
  for (uint32_t i = 0; i < kLayers; ++i) {
    const std::string enc = concat("enc.", i), dec = concat("dec.", i);
    w.norm(enc + ".ln");
    w.attention(enc + ".");
    w.mlp(enc);
    w.norm(dec + ".ln");
    w.attention(dec + ".");
    w.norm(dec + ".ln_cross");
    w.attention(dec + ".cross_");
    w.mlp(dec);
  }
  w.add("mel.basis", {2 * whisper::kPaddedBins, whisper::kWindow},
        fourier_basis(whisper::kWindow, whisper::kPaddedBins));
  w.add("mel.filters", {kMels, whisper::kPaddedBins},
        mel_filters(kMels, whisper::kWindow, whisper::kPaddedBins, whisper::kSampleRate));
  std::vector<float> suppress(kTinyVocabulary);
  for (uint32_t id = 41; id < kTinyTimeBegin; ++id) suppress[id] = 1; // special tokens, all but the end
  suppress[26] = suppress[40] = 2;                                    // a space, the end
  w.add("suppress", {kTinyVocabulary}, suppress);
  return w;
}

} // namespace

void write_tiny_speech_model(const std::string &path, const TinySpeechModel &what) {
  Metadata metadata = speech_metadata(what.multilingual);
  if (what.edit_metadata) what.edit_metadata(metadata);
  std::map<std::string, std::string> graphs;
  for (const Graph &graph : whisper::graphs(sizes(what))) graphs[graph.name()] = print_graph(graph);
  if (what.edit_graphs) what.edit_graphs(graphs);
  const Weights weights = random_weights(what);
  GgufWriter writer(path);
  for (const auto &[key, value] : metadata) writer.add(key, value);
  for (const auto &[name, text] : graphs) writer.add_graph(name, text);
  for (const auto &[name, t] : weights.all) writer.add_tensor(name, t.type);
  for (const auto &[name, t] : weights.all) writer.write(tensor_bytes(t));
  writer.commit();
}

} // namespace fovea::test
