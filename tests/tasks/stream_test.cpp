// Streams on the device: what settles is what a transcript of the whole says. Five minutes of speech with
// pauses, pushed as fast as they are heard.
#include "support.h"

#include "support/share.h"
#include "support/tiny_ctc_model.h"
#include "tasks/listener.h"
#include "tasks/speech_stream.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

using namespace fovea;
using namespace fovea::test;

namespace {

struct Streamed {
  std::vector<TranscriptSegment> segments;
  StreamStats stats;
  size_t most_kept = 0;
  uint64_t n_partials = 0;
  std::string text() const {
    Transcript t;
    t.segments = segments;
    return t.text();
  }
};

/// Pushes a tenth of a second at a time. The clock stands still: a busy machine changes nothing.
Streamed stream(Transcriber &transcriber, std::span<const float> samples, double partial_s = 5,
                const TranscribeOptions &options = {}) {
  Streamed out;
  double reached_s = 0;
  StreamCallbacks callbacks;
  callbacks.segment = [&](const TranscriptSegment &s) {
    CHECK(s.start_s >= reached_s);
    CHECK(s.end_s >= s.start_s);
    reached_s = s.end_s;
    out.segments.push_back(s);
  };
  callbacks.partial = [&](const std::optional<TranscriptSegment> &s) {
    if (!s) return;
    ++out.n_partials;
    CHECK(s->start_s >= reached_s);
  };
  StreamOptions given;
  given.partial_s = partial_s;
  given.clock = [] { return 0.0; };
  SpeechStream live(transcriber.listen(options), given, callbacks);
  const size_t block = transcriber.sample_rate_hz() / 10;
  for (size_t at = 0; at < samples.size(); at += block) {
    live.push(samples.subspan(at, std::min(block, samples.size() - at)));
    out.most_kept = std::max(out.most_kept, live.n_kept());
  }
  live.finish();
  out.stats = live.stats();
  CHECK(out.stats.audio_s == doctest::Approx(double(samples.size()) / transcriber.sample_rate_hz()));
  CHECK(reached_s <= out.stats.audio_s);
  return out;
}

std::vector<std::string> words_of(const std::string &text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// Words and pauses for the model of tiny_ctc_model.h.
std::vector<int32_t> spoken_tokens(double seconds, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> tokens(30, kCtcBlank);
  while (double(tokens.size()) * kCtcHop / 1000 < seconds) {
    for (auto n_words = 1 + random() % 12; n_words > 0; --n_words) {
      int32_t letter = 0;
      for (auto n = 2 + random() % 5; n > 0; --n) {
        letter = (letter + 1 + int32_t(random() % 12)) % 13;
        tokens.insert(tokens.end(), 2 + random() % 2, kCtcLetterA + letter);
      }
      tokens.push_back(kCtcDelimiter);
    }
    tokens.insert(tokens.end(), 15 + random() % 60, kCtcBlank); // 0.3 s to 1.5 s
  }
  return tokens;
}

/// Clips with pauses between them, again and again, over the noise of a quiet room.
std::vector<float> conversation(const std::vector<std::string> &clips, double seconds, size_t &n_clips) {
  std::vector<std::vector<float>> all;
  for (const std::string &path : clips) all.push_back(read_audio(path).samples);
  std::mt19937 random(3);
  std::vector<float> samples(8000);
  for (n_clips = 0; double(samples.size()) < seconds * 16000; ++n_clips) {
    const auto &clip = all[n_clips % all.size()];
    samples.insert(samples.end(), clip.begin(), clip.end());
    samples.resize(samples.size() + 12800 + random() % 16000); // 0.8 s to 1.8 s
  }
  for (float &v : samples) v += 2e-4f * (float(random() % 2001) / 1000 - 1);
  return samples;
}

struct Compared {
  Transcript whole;
  Streamed live;
};

Compared compare_with_whole(Transcriber &transcriber, const std::vector<float> &samples, const char *what) {
  Compared out{transcriber.transcribe(samples), {}};
  const uint64_t before = transcriber.memory().scratch_bytes + transcriber.memory().io_bytes;
  out.live = stream(transcriber, samples);
  size_t n_words = 0;
  const size_t n_differ = n_words_differ(out.live.text(), out.whole.text(), n_words);
  MESSAGE(concat(what, ": ", n_differ, " of ", n_words, " words differ; ", out.live.stats.n_utterances,
                 " utterances, ", out.live.stats.n_hearings, " hearings"));
  CHECK(out.live.most_kept <= 31 * 3 * 16000);
  CHECK(transcriber.memory().scratch_bytes + transcriber.memory().io_bytes <= 2 * before + 32'000'000);
  return out;
}

} // namespace

TEST_CASE("stream: five minutes with a CTC model say what one pass over the whole says") {
  const TinyModel<TinyCtcModel, write_tiny_ctc_model> tiny;
  Transcriber transcriber = tiny.transcriber();
  const auto samples = ctc_sound(spoken_tokens(300, 1));
  const Transcript whole = transcriber.transcribe(samples);
  const Streamed live = stream(transcriber, samples, 0.5);
  CHECK(words_of(live.text()).size() > 500);
  CHECK(words_of(live.text()) == words_of(whole.text()));
  // The times of every word too.
  std::vector<TranscriptWord> want, got;
  for (const auto &s : whole.segments) want.insert(want.end(), s.words.begin(), s.words.end());
  for (const auto &s : live.segments) got.insert(got.end(), s.words.begin(), s.words.end());
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CHECK(got[i].text == want[i].text);
    CHECK(got[i].start_s == want[i].start_s);
    CHECK(got[i].end_s == want[i].end_s);
  }
  CHECK(live.stats.n_utterances > 50);
  CHECK(live.n_partials > 300);
  CHECK(live.most_kept < 4000); // 4 s: windows take 1 s
  const MemoryUse use = transcriber.memory();
  stream(transcriber, ctc_sound(spoken_tokens(60, 2)), 0.5);
  CHECK(transcriber.memory().scratch_bytes == use.scratch_bytes);
  CHECK(transcriber.memory().io_bytes == use.io_bytes);
}

TEST_CASE("stream: only a transcriber's first one hears silence before it begins") {
  const TinyModel<TinyCtcModel, write_tiny_ctc_model> tiny;
  TranscriberOptions options;
  options.timestamps = true;
  Transcriber transcriber(test_device(), tiny.model, tiny.weights, options);
  const auto n_runs = [&] {
    uint64_t n = 0;
    for (const ProfileRow &row : transcriber.profile()) n += row.n_runs;
    return n;
  };
  CHECK(n_runs() == 0);
  { const SpeechStream first(transcriber.listen(), {}, {}); }
  const uint64_t n_warm = n_runs();
  CHECK(n_warm > 0);
  { const SpeechStream second(transcriber.listen(), {}, {}); }
  CHECK(n_runs() == n_warm);
}

TEST_CASE("stream: with a model that writes token after token, an utterance is a recording by itself") {
  const Tiny tiny; // windows of half a second
  Transcriber transcriber = tiny.transcriber();
  std::vector<float> samples(4000);
  for (const double seconds : {0.3, 2.0, 0.2}) {
    const auto part = sound(seconds, uint32_t(10 * seconds));
    samples.insert(samples.end(), part.begin(), part.end());
    samples.resize(samples.size() + 16000);
  }
  const Streamed live = stream(transcriber, samples, 0.1, plain());
  CHECK(live.stats.n_utterances == 3);
  CHECK(live.segments.size() >= 3);
  CHECK(live.n_partials > 0);
  CHECK(live.most_kept < 64000);
  // The first utterance fits into a window.
  VoiceGate gate(16000);
  size_t at = 0;
  while (gate.push(std::span(samples).subspan(at, 160)) != VoiceGate::Event::End) at += 160;
  const auto alone = std::span(samples).subspan(gate.begin(), gate.end() - gate.begin());
  if (alone.size() > 8000) return;
  const Transcript want = transcriber.transcribe(alone, plain());
  REQUIRE(!want.segments.empty());
  for (size_t i = 0; i < want.segments.size(); ++i) {
    CHECK(live.segments[i].tokens == want.segments[i].tokens);
    CHECK(live.segments[i].start_s ==
          doctest::Approx(want.segments[i].start_s + double(gate.begin()) / 16000));
  }
}

TEST_CASE("stream: cancelled, it goes on; options that the model cannot have are an Error") {
  const TinyModel<TinyCtcModel, write_tiny_ctc_model> tiny;
  Transcriber transcriber = tiny.transcriber();
  std::atomic<bool> cancel = false;
  TranscribeOptions options;
  options.cancel = &cancel;
  std::string text;
  StreamCallbacks callbacks;
  callbacks.segment = [&](const TranscriptSegment &s) { text += s.text; };
  SpeechStream live(transcriber.listen(options), {}, callbacks);
  auto samples = ctc_sound(ctc_tokens("AB CAB"));
  samples.insert(samples.begin(), 500, 0.0f);
  cancel = true;
  live.push(samples);
  CHECK_THROWS_AS(live.finish(), Error);
  CHECK(text.empty());
  cancel = false;
  live.finish();
  CHECK(text == "AB CAB");
  options.language = "de";
  CHECK_THROWS_WITH_AS(transcriber.listen(options), doctest::Contains("language 'de'"), Error);
}

namespace {

/// The sample recordings in turn, with pauses: what the bundled model hears of them at once, and as they are
/// held.
void check_bundled_conversation(double seconds) {
  const std::string folder = FOVEA_SOURCE_DIR "/samples/audio/";
  std::ifstream lines(folder + "transcripts.tsv");
  std::vector<std::string> clips, texts;
  std::string name, text, said;
  while (std::getline(lines, name, '\t') && std::getline(lines, text)) {
    clips.push_back(folder + name);
    texts.push_back(text);
  }
  REQUIRE(clips.size() >= 3);
  const auto model = Model::open(FOVEA_SOURCE_DIR "/samples/models/speech-en.fovea.gguf");
  Transcriber transcriber(test_device(), model, DeviceWeights::load(test_device(), model));
  size_t n_clips = 0, n_words = 0, unused = 0;
  const auto samples = conversation(clips, seconds, n_clips);
  for (size_t i = 0; i < n_clips; ++i) said += texts[i % texts.size()] + " ";
  const auto [whole, live] = compare_with_whole(transcriber, samples, "bundled model");
  const size_t n_whole = n_words_differ(whole.text(), said, n_words),
               n_live = n_words_differ(live.text(), said, unused);
  MESSAGE(concat("wrong of ", n_words, " words: ", n_whole, " of the whole, ", n_live, " of the stream"));
  CHECK(double(n_words) > 1.7 * seconds);
  // Words at the edges of utterances may come out otherwise.
  CHECK(n_whole * 20 <= n_words);
  CHECK(n_live * 20 <= n_words);
  CHECK(n_words_differ(live.text(), whole.text(), unused) * 20 <= n_words);
  CHECK(live.stats.n_utterances >= n_clips);
}

} // namespace

TEST_CASE("stream: the bundled model hears a conversation, at once and as it is held") {
  check_bundled_conversation(60);
}

TEST_CASE("stream: the bundled model, five minutes, or a share" * doctest::test_suite("sweep")) {
  check_bundled_conversation(300.0 / double(one_in(2)));
}

TEST_CASE("stream: a real model that writes token after token" * doctest::test_suite("sweep")) {
  const std::string folder = shared_path("models/whisper-tiny.en");
  if (folder.empty()) return;
  std::vector<std::string> clips; // that this model hears alike with and without silence around them
  for (const char *name : {"syn-01", "syn-03", "syn-08", "syn-09"})
    clips.push_back(concat(folder, "/clips/", name, ".wav"));
  Transcriber transcriber = real_transcriber(folder, Encoding::F16);
  size_t n_clips = 0, n_words = 0;
  const auto samples = conversation(clips, 300.0 / double(one_in(3)), n_clips);
  std::vector<std::string> alone;
  for (const std::string &clip : clips)
    alone.push_back(transcriber.transcribe(read_audio(clip).samples).text());
  std::string want;
  for (size_t i = 0; i < n_clips; ++i) want += alone[i % alone.size()] + " ";
  // Each sentence as by itself: windows of 30 s of the whole may leave out what follows another sentence.
  const Streamed live = stream(transcriber, samples);
  const size_t n_differ = n_words_differ(live.text(), want, n_words);
  MESSAGE(concat(n_differ, " of ", n_words, " words differ, ", live.stats.n_utterances, " utterances of ",
                 n_clips, " clips"));
  CHECK(n_differ * 100 <= 10 * n_words);
  CHECK(live.most_kept <= 31 * 3 * 16000);
}
