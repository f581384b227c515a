// Metadata of speech-to-text models as hostile input.
#include "support/speech_metadata.h"
#include "support/temp_folder.h"
#include "tasks/load_tokenizer.h"

#include <doctest/doctest.h>
#include <limits>

using namespace fovea;
using test::Metadata;

namespace {

class Files {
public:
  std::string write(const Metadata &metadata) {
    const std::string path = folder_ / concat(count_++ % 4, ".gguf");
    GgufWriter writer(path);
    for (const auto &[key, value] : metadata) writer.add(key, value);
    writer.add_tensor("t", {{32}, Encoding::F32});
    writer.write(std::vector<std::byte>(128));
    writer.commit();
    return path;
  }
  /// The Error's text, or "" when all of it was accepted.
  std::string error(const Metadata &metadata) {
    const std::string path = write(metadata);
    const ModelFile file(path);
    try {
      const SpeechSpec spec = SpeechSpec::read(file);
      load_tokenizer(file, spec.n_vocabulary);
    } catch (const Error &e) {
      const std::string text = e.what();
      CHECK_MESSAGE(text.find(path) == 0, text);
      CHECK_MESSAGE(text.find('\n') == std::string::npos, text);
      return text;
    }
    return "";
  }

private:
  test::TempFolder folder_;
  int count_ = 0;
};

} // namespace

TEST_CASE("speech metadata: read as written") {
  Files files;
  for (const bool multilingual : {false, true}) {
    const ModelFile file(files.write(test::speech_metadata(multilingual)));
    const SpeechSpec s = SpeechSpec::read(file);
    CHECK(s.input_samples() == 2 * test::kTinyPositions * 160 + 240);
    CHECK(s.time_end() == int32_t(test::kTinyVocabulary));
    CHECK(s.frames_per_position() == 2);
    CHECK(s.seconds_per_frame() == doctest::Approx(0.01));
    CHECK(s.languages ==
          (multilingual ? std::vector<std::string>{"en", "de"} : std::vector<std::string>{"en"}));
    const Tokenizer tokenizer = load_tokenizer(file, s.n_vocabulary);
    CHECK(tokenizer.encode(" abc", {}) == std::vector<int32_t>{39, 1, 2});
    CHECK(tokenizer.decode(std::vector<int32_t>{39, 37, 38, 41}, true) == " a\u00e9");
  }
}

TEST_CASE("speech metadata: every entry missing or of another type is an Error") {
  Files files;
  for (const auto &[key, value] : test::speech_metadata(true)) {
    if (key == "general.architecture" || key == "fovea.run.graphs") continue;
    const std::string without = key; // clang 14 cannot capture a structured binding
    CAPTURE(without);
    const bool optional = key == "tokenizer.ggml.token_type" || key == "tokenizer.ggml.merges" ||
                          key.find("fovea.tokenizer.") == 0;
    Metadata m = test::speech_metadata(true);
    m.erase(key);
    CHECK((optional || files.error(m).find(key) != std::string::npos));
    m[key] = std::vector<float>{1.5f};
    CHECK(files.error(m).find(key) != std::string::npos);
  }
}

TEST_CASE("speech metadata: sizes and ids out of range, lists of different length") {
  Files files;
  const auto rejects = [&](const std::string &key, MetaData value, const std::string &part) {
    CAPTURE(key);
    Metadata m = test::speech_metadata(true);
    m[key] = std::move(value);
    const std::string text = files.error(m);
    CHECK_MESSAGE(text.find(part) != std::string::npos, "\"", text, "\" should mention ", part);
  };
  const std::string audio = "fovea.audio.", transcribe = "fovea.transcribe.";
  rejects("fovea.task", std::string("detect"), "fovea.task");
  for (const uint32_t bad : {0u, 4'000'000'000u}) {
    rejects(audio + "sample_rate", bad, "sample_rate");
    rejects(audio + "window_samples", bad, "window_samples");
    rejects(audio + "hop", bad, "hop");
    rejects(transcribe + "frames", bad, "frames");
    rejects(transcribe + "positions", bad, "positions");
    rejects(transcribe + "context", bad, "context");
    rejects(transcribe + "vocabulary", bad, "vocabulary");
  }
  rejects(audio + "hop", 161u, "frames");
  rejects(audio + "context_before", 4'000'000'000u, "context_before");
  rejects(audio + "context_after", 4'000'000'000u, "context_after");
  rejects(transcribe + "positions", 24u, "positions");
  for (const char *name :
       {"start", "end", "translate", "transcribe", "previous", "no_speech", "no_timestamps", "time_begin"})
    for (const int32_t bad : {-2, int32_t(test::kTinyVocabulary), std::numeric_limits<int32_t>::max(),
                              std::numeric_limits<int32_t>::min()})
      rejects(transcribe + "token." + name, bad, name);
  for (const char *name : {"start", "end", "transcribe"}) rejects(transcribe + "token." + name, -1, name);
  rejects(transcribe + "token.time_begin", 48, "time_begin");
  rejects(transcribe + "token.time_begin", 12, "time_begin");
  rejects(transcribe + "languages", std::vector<std::string>{"en"}, "language_tokens");
  rejects(transcribe + "language_tokens", std::vector<int32_t>{38, 39, 37}, "language_tokens");
  rejects(transcribe + "language_tokens", std::vector<int32_t>{38, -1}, "language_tokens");
  rejects(transcribe + "language_tokens", std::vector<int32_t>{38, 10000}, "language_tokens");

  rejects("tokenizer.ggml.model", std::string("llama"), "tokenizer.ggml.model");
  rejects("tokenizer.ggml.tokens", std::vector<std::string>(test::kTinyVocabulary + 1, "x"),
          "tokenizer.ggml.tokens");
  rejects("tokenizer.ggml.tokens", std::vector<std::string>(3, "x"), "token types");
  rejects("tokenizer.ggml.token_type", std::vector<int32_t>(test::kTinyVocabulary, 9), "token_type[0] is 9");
  rejects("tokenizer.ggml.token_type", std::vector<int32_t>(2, 1), "token types");
  rejects("tokenizer.ggml.merges", std::vector<std::string>{"no such merge"}, "merge");
  rejects("fovea.tokenizer.pattern", std::string("(unclosed"), "pattern");
  rejects("fovea.tokenizer.pattern", std::string(70000, 'a'), "pre_tokenizer");
}
