// Speech models over samples with a CTC head, against the reference implementation: logits, and the text and
// words' times that make_ctc.py had it write down (ctc.json).
#include "models/golden.h"

#include "format/gguf_writer.h"
#include "support/temp_folder.h"
#include "tasks/ctc_spec.h"
#include "tasks/speech_spec.h"
#include "tasks/transcribe.h"

#include <cmath>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace fovea;
using namespace fovea::test;

namespace {

/// The sounds of make_ctc.py.
std::vector<float> ctc_sound(size_t n, uint32_t seed, bool quiet) {
  std::vector<float> out;
  uint32_t state = seed;
  for (size_t i = 0; i < n; ++i) {
    state = state * 1664525u + 1013904223u;
    const size_t period = 8 + (i / 700 * 37 + seed) % 120, loudness = i / 1100 % 9;
    const int loud = int(500 * loudness * loudness);
    const int value = (i / period % 2 ? loud : -loud) + int((state >> 16) % 512) - 256;
    out.push_back(std::ldexp(float(value), quiet ? -23 : -15));
  }
  return out;
}

/// The golden case with a tokenizer and a feature extractor beside it, converted.
std::shared_ptr<const Model> golden_with(const std::string &golden, const TempFolder &folder,
                                         const nlohmann::json &vocabulary, bool normalize,
                                         const nlohmann::json &tokenizer = nlohmann::json::object()) {
  for (const char *file : {"config.json", "model.safetensors"})
    std::filesystem::copy_file(golden + "/" + file, folder / file);
  write_file(folder / "vocab.json", vocabulary.dump());
  write_file(folder / "preprocessor_config.json",
             nlohmann::json{{"sampling_rate", 16000}, {"do_normalize", normalize}}.dump());
  write_file(folder / "tokenizer_config.json", tokenizer.dump());
  const std::string path = folder / "ctc.gguf";
  ConvertOptions options;
  options.encoding = Encoding::F32;
  convert(folder.path(), path, options);
  return Model::open(path);
}

} // namespace

TEST_CASE("the golden wav2vec2") { check_golden_case("wav2vec2_ctc"); }

TEST_CASE("text and words' times of the golden wav2vec2, whole and in windows") {
  const std::string golden = shared_path("golden/cases/wav2vec2_ctc");
  if (golden.empty()) return;
  std::ifstream file(FOVEA_SOURCE_DIR "/tests/models/ctc.json");
  const auto fixture = nlohmann::json::parse(file);
  size_t n_words = 0;
  for (const auto &want : fixture["cases"]) {
    CAPTURE(want.dump().substr(0, 120));
    const TempFolder folder;
    const auto model = golden_with(golden, folder, fixture["vocabularies"][std::string(want["vocabulary"])],
                                   want["normalize"]);
    Transcriber transcriber(test_device(), model, DeviceWeights::load(test_device(), model));
    const Transcript got = transcriber.transcribe(ctc_sound(want["samples"], want["seed"], want["quiet"]));
    CHECK(got.text() == std::string(want["text"]));
    CHECK(got.language.empty());
    CHECK(got.timings.n_windows ==
          (size_t(want["samples"]) <= 20000 ? 1 : 1 + (size_t(want["samples"]) - 20000 + 13999) / 14000));
    std::vector<TranscriptWord> words;
    for (const TranscriptSegment &s : got.segments) {
      words.insert(words.end(), s.words.begin(), s.words.end());
      REQUIRE(!s.words.empty());
      CHECK(s.start_s == s.words.front().start_s);
      CHECK(s.end_s == s.words.back().end_s);
    }
    REQUIRE(words.size() == want["words"].size());
    for (size_t i = 0; i < words.size(); ++i) {
      const auto &[text, begin, end] = want["words"][i].get<std::tuple<std::string, uint64_t, uint64_t>>();
      CHECK(words[i].text == text);
      CHECK(words[i].start_s == double(begin * 20) / 16000);
      CHECK(words[i].end_s == double(end * 20) / 16000);
      CHECK((words[i].probability > 0 && words[i].probability <= 1));
    }
    n_words += words.size();
  }
  CHECK(n_words > 300);
}

TEST_CASE("what the files beside a CTC model say of its text") {
  const std::string golden = shared_path("golden/cases/wav2vec2_ctc");
  if (golden.empty()) return;
  using Json = nlohmann::json;
  const Json letters = {{"[PAD]", 7}, {"_", 2}, {"\u00c4", 3}, {"B", 4}, {"<s>", 5}};
  const auto model = [&](const Json &tokenizer) {
    const TempFolder folder;
    return golden_with(golden, folder, letters, true, tokenizer);
  };
  const Json names = {{"pad_token", "[PAD]"}, {"word_delimiter_token", "_"}};
  const auto with = [&](const char *key, const Json &value) {
    Json out = names;
    out[key] = value;
    return model(out);
  };
  CtcSpec spec = CtcSpec::read(model(names)->file());
  CHECK(spec.sample_rate_hz == 16000);
  CHECK(spec.hop_samples == 20);
  CHECK(spec.context_samples == 40);
  CHECK(spec.window_samples == 20000);
  CHECK(spec.overlap_samples == 3000);
  CHECK(spec.blank == 7);
  CHECK(spec.delimiter == 2);
  CHECK(!spec.clean_up);
  REQUIRE(spec.tokens.size() == 32);
  CHECK(spec.tokens[3] == "\u00c4");
  CHECK(spec.tokens[5].empty()); // special
  CHECK(spec.tokens[9].empty()); // not in the vocabulary
  spec = CtcSpec::read(with("do_lower_case", true)->file());
  CHECK(spec.tokens[3] == "\u00e4");
  CHECK(spec.tokens[4] == "b");
  CHECK(CtcSpec::read(with("clean_up_tokenization_spaces", true)->file()).clean_up);
  CHECK(Transcriber::accepts(*with("tokenizer_class", "Wav2Vec2CTCTokenizer")));
  CHECK(!Transcriber::accepts(*with("tokenizer_class", "Wav2Vec2PhonemeCTCTokenizer")));
  CHECK_THROWS_WITH_AS(with("replace_word_delimiter_char", "-"),
                       doctest::Contains("replace_word_delimiter_char is '-'"), Error);
}

TEST_CASE("what decodes token after token says what it cannot do with a CTC model, before anything else") {
  const TempFolder folder;
  const std::string graph = "graph forward\n  in samples f32 [N]\n  out logits = unary(samples)\n";
  {
    GgufWriter writer(folder / "ctc.gguf");
    writer.add("general.architecture", std::string("fovea"));
    writer.add("fovea.task", std::string("transcribe"));
    writer.add("fovea.transcribe.decoder", std::string("ctc"));
    writer.add_graph("forward", graph);
    writer.commit();
  }
  const auto model = Model::open(folder / "ctc.gguf");
  CHECK_THROWS_WITH_AS(SpeechSpec::read(model->file()), doctest::Contains("'ctc'"), Error);
}
