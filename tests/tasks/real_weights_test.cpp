// Transcripts of real clips with real weights against what the reference decoder wrote (../shared/models).
#include "models/golden.h"

#include "tasks/transcribe.h"

#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace fovea;
using namespace fovea::test;

namespace {

Transcriber transcriber(const std::string &folder, Encoding encoding, uint32_t n_beams = 1) {
  const auto model = converted(folder, encoding);
  TranscriberOptions options;
  options.n_beams = n_beams;
  return Transcriber(test_device(), model, DeviceWeights::load(test_device(), model), options);
}

// As the reference was run: greedy, once, to the end of the context.
TranscribeOptions as_reference(bool timestamps) {
  TranscribeOptions options;
  options.timestamps = timestamps;
  options.temperatures = {0};
  options.compression_ratio_threshold.reset();
  options.logprob_threshold.reset();
  options.no_speech_threshold.reset();
  options.max_tokens_per_window = 448;
  return options;
}

std::vector<int32_t> all_tokens(const Transcript &t) {
  std::vector<int32_t> ids;
  for (const TranscriptSegment &s : t.segments) ids.insert(ids.end(), s.tokens.begin(), s.tokens.end());
  return ids;
}

std::string list(const std::vector<int32_t> &ids) {
  std::string text;
  for (const int32_t id : ids) text += concat(" ", id);
  return text;
}

} // namespace

TEST_CASE("greedy token ids of every clip are the reference's") {
  const std::string folder = shared_path("models/whisper-tiny.en");
  if (folder.empty()) return;
  std::ifstream file(folder + "/references.json");
  const auto references = nlohmann::json::parse(file);
  for (const Encoding encoding : {Encoding::F32, Encoding::F16}) {
    Transcriber t = transcriber(folder, encoding);
    for (const auto &[clip, want] : references["clips"].items()) {
      const Audio audio = read_audio(folder + "/" + clip);
      for (const char *key : {"ids", "ids_timestamps"}) {
        if (!want.contains(key)) continue;
        const bool timestamps = std::string(key) == "ids_timestamps";
        const auto ids = want[key].get<std::vector<int32_t>>();
        const Transcript got = t.transcribe(audio.samples, as_reference(timestamps));
        CHECK_MESSAGE(all_tokens(got) == ids, encoding, " ", clip, " ", key, ":\n got", list(all_tokens(got)),
                      "\nwant", list(ids), "\n", got.text());
        if (!timestamps) {
          CHECK(got.segments.size() == 1);
          CHECK(got.text() == want["text"].get<std::string>());
        }
        MESSAGE(concat(encoding, " ", clip, " ", key, " tokens ", got.timings.n_tokens, ", windows ",
                       got.timings.n_windows, ": peak ", got.timings.peak_s, " features ",
                       got.timings.features_s, " encode ", got.timings.encode_s, " prompt ",
                       got.timings.prompt_s, " decode ", got.timings.decode_s, " total ", got.timings.total_s,
                       " | ", got.text()));
      }
    }
  }
}
