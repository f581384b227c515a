// Text to text: sequences equal to the reference implementation's, on the golden cases and on real weights.
#include "models/golden.h"
#include "tasks/translate.h"

#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

using namespace fovea;
using namespace fovea::test;

namespace {

Translator translator(const std::string &folder, Encoding encoding, TranslatorOptions options = {}) {
  auto model = converted(folder, encoding);
  auto weights = DeviceWeights::load(test_device(), model);
  return Translator(test_device(), std::move(model), std::move(weights), options);
}

nlohmann::json read_json(const std::string &path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

TranslateOptions with_beams(uint32_t n) {
  TranslateOptions options;
  options.n_beams = n;
  return options;
}

} // namespace

TEST_CASE("translate: greedy and beam-4 sequences of the golden cases") {
  for (const char *name : {"bart", "t5", "marian"}) {
    CAPTURE(name);
    const std::string folder = shared_path(concat("golden/cases/", name));
    if (folder.empty()) return;
    const Source golden = open_safetensors(folder + "/golden.safetensors");
    const std::vector<std::vector<int32_t>> source = {read_safetensor(golden, "input.tokens").i};
    Translator t = translator(folder, Encoding::F32);
    for (const uint32_t n_beams : {1u, 4u}) {
      TranslateOptions options = with_beams(n_beams);
      options.max_new_tokens = options.min_new_tokens = 10;
      const char *key = n_beams == 1 ? "greedy" : "beam4";
      // marian: see tests/models/make_marian.py
      const std::vector<int32_t> want =
          std::string(name) == "marian"
              ? read_json(FOVEA_SOURCE_DIR "/tests/models/marian.json")[key].get<std::vector<int32_t>>()
              : read_safetensor(golden, concat("output.", key)).i;
      CAPTURE(n_beams);
      CHECK(t.translate_tokens(source, options)[0].tokens == want);
    }
  }
}

TEST_CASE("translate: letters to sounds with real weights, one by one and in batches") {
  for (const char *name : {"models/bart-g2p-us", "models/bart-g2p-gb"}) {
    const std::string folder = shared_path(name);
    if (folder.empty()) return;
    std::vector<std::vector<int32_t>> sources, greedy, beam4;
    const nlohmann::json references = read_json(folder + "/references.json");
    for (const auto &[word, ids] : references["words"].items()) {
      sources.push_back(ids["input_ids"]);
      greedy.push_back(ids["greedy"]);
      beam4.push_back(ids["beam4"]);
    }
    REQUIRE(sources.size() == 20);
    for (const Encoding encoding : {Encoding::F32, Encoding::F16})
      for (const uint32_t max_batch : {1u, 8u}) {
        TranslatorOptions made;
        made.max_batch = max_batch;
        Translator t = translator(folder, encoding, made);
        for (const uint32_t n_beams : {1u, 4u}) {
          TranslateOptions options = with_beams(n_beams);
          options.early_stopping = EarlyStopping::Yes; // as the references were made; the file says nothing
          const auto got = t.translate_tokens(sources, options);
          for (size_t i = 0; i < sources.size(); ++i) {
            CAPTURE(
                concat(name, " ", encoding, " batches of ", max_batch, ", ", n_beams, " beams, word ", i));
            CHECK(got[i].tokens == (n_beams == 1 ? greedy : beam4)[i]);
            CHECK(got[i].ended);
          }
        }
      }
  }
}

TEST_CASE("translate: texts in any order and number, empty, unknown and too long ones, limits, errors") {
  const std::string folder = shared_path("golden/cases/t5");
  if (folder.empty()) return;
  Translator t = translator(folder, Encoding::F32);
  TranslateOptions options = with_beams(2);
  options.max_new_tokens = 6;
  std::vector<std::string> texts = {"", "The quick brown fox", "   ", "注意力", "a", "\xff"};
  std::string text;
  for (int i = 0; i < 5; ++i) texts.push_back(text += "jumps over the lazy dog ");
  for (int i = 0; i < 300; ++i) text += "word ";
  texts.push_back(text);
  const auto together = t.translate(texts, options);
  REQUIRE(together.size() == texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const Translation alone = t.translate(std::span(&texts[i], 1), options)[0];
    CAPTURE(i);
    CHECK(alone.tokens == together[i].tokens);
    CHECK(alone.text == together[i].text);
    CHECK(together[i].tokens.size() <= 7);
    CHECK(together[i].source_truncated == (i + 1 == texts.size()));
  }
  CHECK(together[0].tokens.empty());
  CHECK(together[2].text.empty());
  CHECK(t.translate({}, options).empty());

  const auto error = [&](const TranslateOptions &o, const char *part) {
    CHECK_THROWS_WITH_AS(t.translate(texts, o), doctest::Contains(part), Error);
  };
  error(with_beams(65), "the number of beams is 65");
  TranslateOptions bad = options;
  bad.task = "summarization";
  error(bad, "no task 'summarization'");
  bad = options;
  bad.forced_first = "<no such token>";
  error(bad, "no token '<no such token>'");
  const std::vector<std::vector<int32_t>> outside = {{3, -1}};
  CHECK_THROWS_WITH_AS(t.translate_tokens(outside, options), doctest::Contains("token -1"), Error);
  std::atomic<bool> cancel = true;
  bad = options;
  bad.cancel = &cancel;
  CHECK_THROWS_AS(t.translate(texts, bad), Error);
  CHECK(t.translate(std::span(&texts[1], 1), options)[0].tokens == together[1].tokens); // still usable
}

TEST_CASE("translate: long results outgrow the first cache; rules that need every score") {
  const std::string folder = shared_path("golden/cases/t5");
  if (folder.empty()) return;
  Translator t = translator(folder, Encoding::F32);
  const std::vector<std::vector<int32_t>> source = {{5, 6, 7, 1}};
  TranslateOptions options = with_beams(2);
  options.max_new_tokens = options.min_new_tokens = 150;
  CHECK(t.translate_tokens(source, options)[0].tokens.size() == 151);
  options.max_new_tokens = options.min_new_tokens = 40;
  for (const uint32_t n_beams : {1u, 3u}) {
    options.n_beams = n_beams;
    options.no_repeat_ngram = 1; // 40 tokens, all different: more are banned than the device picks
    const auto tokens = t.translate_tokens(source, options)[0].tokens;
    REQUIRE(tokens.size() == 41);
    CHECK(std::set<int32_t>(tokens.begin(), tokens.end()).size() == tokens.size());
  }
  options.no_repeat_ngram = 0;
  options.repetition_penalty = 1.5f;
  options.n_beams = 1;
  CHECK(t.translate_tokens(source, options)[0].tokens.size() == 41);
}
