// The speech model in samples/models: the sample recordings word for word, and digits said by people
// (../shared/audio/digits, the split that it was not trained on).
#include "support.h"
#include "support/share.h"

#include "audio/audio.h"
#include "support/shared_folder.h"
#include "tasks/speech_stream.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr const char *kModel = FOVEA_SOURCE_DIR "/samples/models/speech-en.fovea.gguf";
constexpr const char *kDigits[] = {"zero", "one", "two",   "three", "four",
                                   "five", "six", "seven", "eight", "nine"};

Transcriber bundled() {
  const auto model = Model::open(kModel);
  return Transcriber(test_device(), model, DeviceWeights::load(test_device(), model));
}

struct Clip {
  std::string name, text;
  std::vector<float> samples;
};

std::vector<Clip> sample_clips() {
  std::vector<Clip> clips;
  std::ifstream lines(FOVEA_SOURCE_DIR "/samples/audio/transcripts.tsv");
  std::string name, text;
  while (std::getline(lines, name, '\t') && std::getline(lines, text))
    clips.push_back({name, text, read_audio(std::string(FOVEA_SOURCE_DIR "/samples/audio/") + name).samples});
  REQUIRE(clips.size() == 5);
  return clips;
}

/// Every `step`th of the takes 0 to 4: those that are right, in percent.
double digits_right(const std::string &folder, size_t step) {
  std::vector<std::filesystem::path> paths;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    if (const std::string stem = entry.path().stem().string();
        !stem.empty() && stem.back() < '5' && stem[stem.size() - 2] == '_')
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  REQUIRE(paths.size() == 300);
  Transcriber transcriber = bundled();
  size_t n = 0, n_right = 0;
  for (size_t i = 0; i < paths.size(); i += step, ++n) {
    const std::string want = kDigits[paths[i].filename().string()[0] - '0'];
    std::vector<float> samples(4000); // a quarter of a second of silence on either side
    const Audio audio = read_audio(paths[i].string());
    samples.insert(samples.end(), audio.samples.begin(), audio.samples.end());
    samples.resize(samples.size() + 4000);
    const std::string got = transcriber.transcribe(samples).text();
    n_right += got == want;
    if (got != want) MESSAGE(paths[i].filename().string(), ": ", got);
  }
  return 100.0 * double(n_right) / double(n);
}

} // namespace

TEST_CASE("the bundled model: the sample recordings word for word") {
  CHECK(std::filesystem::file_size(kModel) <= 6'000'000);
  Transcriber transcriber = bundled();
  for (const Clip &clip : sample_clips()) {
    CAPTURE(clip.name);
    CHECK(transcriber.transcribe(clip.samples).text() == clip.text);
  }
}

TEST_CASE("the bundled model: silence before what is said adds no words, and no time to them") {
  Transcriber transcriber = bundled();
  for (const Clip &clip : sample_clips())
    for (const double silence_s : {0.5, 2.5, 5.0}) {
      CAPTURE(clip.name);
      CAPTURE(silence_s);
      std::vector<float> samples(size_t(16000 * silence_s));
      samples.insert(samples.end(), clip.samples.begin(), clip.samples.end());
      const Transcript heard = transcriber.transcribe(samples);
      size_t n_words = 0;
      CHECK(n_words_differ(heard.text(), clip.text, n_words) <= 1);
      REQUIRE_FALSE(heard.segments.empty());
      CHECK(heard.segments[0].start_s >= silence_s - 0.2);
    }
}

TEST_CASE("the bundled model: a stream begins with the first word, whatever the length of a hearing") {
  Transcriber transcriber = bundled();
  for (const Clip &clip : sample_clips())
    for (double s = 1.6; s < 3; s += 0.2) {
      CAPTURE(clip.name);
      CAPTURE(s);
      const auto n = std::min(clip.samples.size(), size_t(16000 * s));
      std::string text;
      StreamCallbacks callbacks;
      callbacks.segment = [&](const TranscriptSegment &segment) { text += segment.text; };
      SpeechStream live(transcriber.listen({}), {}, callbacks);
      live.push(std::span(clip.samples).first(n));
      live.finish();
      // The last words may be cut.
      const std::string first = clip.text.substr(0, clip.text.find(' ', 4));
      CHECK((text.find(first) == 0 || text.find(' ' + first) == 0));
    }
}

TEST_CASE("the bundled model: digits said by people") {
  const std::string folder = shared_path("audio/digits");
  if (!folder.empty()) CHECK(digits_right(folder, 7) >= 95);
}

TEST_CASE("the bundled model: all digits said by people, or a share" * doctest::test_suite("sweep")) {
  const std::string folder = shared_path("audio/digits");
  if (!folder.empty()) CHECK(digits_right(folder, one_in(3)) >= 97);
}
