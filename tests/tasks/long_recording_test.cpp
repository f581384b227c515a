// Ten minutes of speech against what the reference implementation wrote of it (make_ten_minutes.py).
#include "support.h"
#include "support/share.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace fovea;
using namespace fovea::test;

namespace {

uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * uint64_t(::sysconf(_SC_PAGESIZE));
}

// The clips that the model gets right, each followed by 0.4 s of silence, again and again.
std::vector<float> joined_clips(const std::string &folder, size_t n_samples) {
  constexpr const char *kNames[] = {"sb-spk1_snt3", "syn-01", "syn-03", "syn-08", "syn-09"};
  std::vector<float> samples;
  for (size_t i = 0; samples.size() < n_samples; ++i) {
    const Audio clip = read_audio(concat(folder, "/", kNames[i % std::size(kNames)], ".wav"));
    samples.insert(samples.end(), clip.samples.begin(), clip.samples.end());
    samples.resize(samples.size() + 6400);
  }
  samples.resize(n_samples);
  return samples;
}

} // namespace

TEST_CASE("ten minutes, or a share: the reference's words, times in order, steady memory" *
          doctest::test_suite("sweep")) {
  const std::string folder = shared_path("models/whisper-tiny.en");
  if (folder.empty()) return;
  const size_t seconds = 600 / one_in(4);
  // The reference pads the last window's spectrum with zeros, which are not silence: not compared.
  const double compared_s = double(seconds) - 30;
  std::ifstream file(std::string(FOVEA_SOURCE_DIR) + "/tests/tasks/ten_minutes.json");
  std::string want, got_words;
  const auto reference = nlohmann::json::parse(file); // segments: [start, end, text]
  for (const auto &segment : reference["segments"])
    if (segment[0] < compared_s) want += segment[2].get<std::string>() + " ";

  Transcriber t = real_transcriber(folder, Encoding::F32);
  TranscribeOptions options = as_reference(true);
  options.condition_on_previous_text = false;
  uint64_t after_first_window = 0;
  TranscribeCallbacks callbacks;
  callbacks.segment = [&](const TranscriptSegment &segment) {
    if (after_first_window == 0 && segment.start_s > 30) after_first_window = resident_bytes();
  };
  const Transcript got = t.transcribe(joined_clips(folder + "/clips", seconds * 16000), options, callbacks);
  const uint64_t grown = resident_bytes() - std::min(resident_bytes(), after_first_window);

  double reached = 0;
  for (const TranscriptSegment &s : got.segments) {
    CHECK(s.start_s >= reached);
    CHECK(s.end_s >= s.start_s);
    reached = s.end_s;
  }
  CHECK(reached <= double(seconds));
  for (const TranscriptSegment &segment : got.segments)
    if (segment.start_s < compared_s) got_words += segment.text + " ";
  size_t n_words = 0;
  const size_t n_differ = n_words_differ(got_words, want, n_words);
  MESSAGE(concat(got.timings.n_windows, " windows, ", n_differ, " of ", n_words, " words differ, ",
                 double(grown) / 1e6, " MB more than after the first window"));
  CHECK(double(n_words) > 2.2 * compared_s);
  CHECK(n_differ * 100 <= n_words);
  CHECK(after_first_window > 0);
  CHECK(grown < 16'000'000);
}
