// The text of a stream with the CTC listener: what settles, when, and what it costs, by a clock that only the
// test moves.
#include "support/stream_speech.h"

#include <limits>

using namespace fovea;
using namespace fovea::test;

TEST_CASE("stream: every word settles once, in its place, however the sound is pushed") {
  const CtcSpec s = spec();
  for (const size_t per_pause : {1, 5, 40, 0}) {
    CAPTURE(per_pause);
    const Said said = speech(200, per_pause);
    std::vector<TranscriptSegment> first;
    for (const size_t piece : {size_t(800), size_t(37), size_t(50'000), said.samples.size()}) {
      CAPTURE(piece);
      Collector got;
      SpeechStream stream(std::make_unique<CtcListener>(s, Ear(), true), options(), got.callbacks());
      push(stream, said.samples, piece);
      stream.finish();
      CHECK(got.words() == said.words);
      CHECK((got.partials.empty() || got.partials.back() == ""));
      if (first.empty()) first = got.segments;
      REQUIRE(got.segments.size() == first.size());
      for (size_t i = 0; i < first.size(); ++i) {
        CHECK(got.segments[i].start_s == first[i].start_s);
        CHECK(got.segments[i].end_s == first[i].end_s);
        CHECK(got.segments[i].text == first[i].text);
      }
      CHECK(stream.stats().audio_s == doctest::Approx(double(said.samples.size()) / kRate));
      CHECK(stream.stats().n_utterances == (per_pause ? 200 / per_pause : 1));
    }
  }
}

TEST_CASE("stream: times are those of one pass over the whole") {
  const CtcSpec s = spec();
  const Said said = speech(300, 7);
  CtcReader reader(s);
  auto want = reader.push(Ear{.unsure = 0}(said.samples));
  for (CtcWord &w : reader.finish()) want.push_back(std::move(w));
  Collector got;
  SpeechStream stream(std::make_unique<CtcListener>(s, Ear(), true), options(), got.callbacks());
  push(stream, said.samples, 1600);
  stream.finish();
  size_t n = 0;
  for (const TranscriptSegment &segment : got.segments)
    for (const TranscriptWord &word : segment.words) {
      REQUIRE(n < want.size());
      CHECK(word.text == want[n].text);
      CHECK(word.start_s == s.seconds(want[n].begin_frame));
      CHECK(word.end_s == s.seconds(want[n].end_frame));
      ++n;
    }
  CHECK(n == want.size());
}

TEST_CASE("stream: text so far is what settles, but for its end; nothing waits longer than it says") {
  const CtcSpec s = spec();
  const Said said = speech(100, 0); // half a minute without a pause
  Collector got;
  double heard_s = 0, last_s = 0, longest_s = 0;
  StreamCallbacks callbacks = got.callbacks();
  const auto settled = callbacks.segment;
  callbacks.segment = [&](const TranscriptSegment &segment) {
    settled(segment);
    longest_s = std::max(longest_s, heard_s - segment.end_s);
    last_s = segment.end_s;
  };
  SpeechStream stream(std::make_unique<CtcListener>(s, Ear(), true), options(), callbacks);
  std::string all;
  for (size_t at = 0; at < said.samples.size(); at += 800) {
    stream.push(std::span(said.samples).subspan(at, std::min<size_t>(800, said.samples.size() - at)));
    heard_s = double(at + 800) / kRate;
  }
  stream.finish();
  CHECK(got.words() == said.words);
  // A segment is 7 s of words, each of which is sure after 1 s; settling every 2 s; the word that ends it.
  CHECK(longest_s < 1 + 2 + 1.5);
  CHECK(got.segments.size() > 3);
  CHECK(got.partials.size() > size_t(heard_s)); // two a second, and some
  // The words of a partial text that lie well before its end are the words that were said.
  for (const std::string &partial : got.partials) {
    auto words = words_in(partial);
    if (words.size() < 4) continue;
    words.resize(words.size() - 3);
    CHECK(std::search(said.words.begin(), said.words.end(), words.begin(), words.end()) != said.words.end());
  }
}

TEST_CASE("stream: a few lengths of windows, and only what may be needed in memory") {
  const CtcSpec s = spec();
  std::vector<size_t> lengths;
  Said said = speech(400, 30);
  Collector got;
  SpeechStream stream(std::make_unique<CtcListener>(s, Ear{.lengths = &lengths}, true), options(),
                      got.callbacks());
  const size_t n_warm = lengths.size();
  CHECK(n_warm == 5);
  push(stream, said.samples, 800);
  stream.finish();
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  CHECK(lengths.size() == n_warm); // no other
  CHECK(lengths.back() == s.window_samples);
  CHECK(stream.n_kept() < 3 * s.window_samples);
  // The next stream of the same transcriber need not hear silence first.
  std::vector<size_t> again;
  const auto is_ready = [&](size_t n) { return std::binary_search(lengths.begin(), lengths.end(), n); };
  SpeechStream next(std::make_unique<CtcListener>(s, Ear{.lengths = &again}, true, is_ready), options(), {});
  CHECK(again.empty());
}

TEST_CASE("stream: looks wait until twice what the last hearing took; settling waits on slow devices") {
  const CtcSpec s = spec();
  const Said said = speech(200, 0);
  size_t n_before = std::numeric_limits<size_t>::max();
  for (const double cost_s : {0.0, 0.5, 1.5, 3.0}) {
    CAPTURE(cost_s);
    double clock = 0;
    Collector got;
    SpeechStream stream(std::make_unique<CtcListener>(s, Ear{.clock = &clock, .cost_s = cost_s}, true),
                        options(&clock), got.callbacks());
    clock = 0;
    push(stream, said.samples, 800);
    stream.finish();
    CHECK(got.words() == said.words);
    const StreamStats stats = stream.stats();
    CHECK(stats.busy_s == doctest::Approx(clock));
    CHECK(clock <= stats.audio_s * 0.6); // the device keeps up, and has time to spare
    CHECK((stats.n_partials < n_before || stats.n_partials < 3));
    n_before = stats.n_partials;
  }
  Collector got;
  StreamOptions none = options();
  none.partial_s = 0;
  SpeechStream stream(std::make_unique<CtcListener>(s, Ear(), true), none, got.callbacks());
  push(stream, said.samples, 800);
  CHECK(stream.stats().n_partials == 0);
  // Much at once is one look.
  SpeechStream at_once(std::make_unique<CtcListener>(s, Ear(), true), options(), {});
  at_once.push(std::span(said.samples).first(20 * kRate));
  CHECK(at_once.stats().n_partials <= 1);
}

TEST_CASE("stream: a sound without end or words, and words without end, do not grow") {
  const CtcSpec s = spec();
  for (const int32_t token : {int32_t(kCtcDelimiter), int32_t(kCtcLetterA + 5), int32_t(kCtcSpecial)}) {
    std::vector<float> sound(kRate);
    std::mt19937 random(5);
    // Not steady: the gate would take it for noise.
    for (int i = 0; i < 1500; ++i)
      if (random() % 12)
        say(sound, token);
      else
        sound.resize(sound.size() + kHop);
    Collector got;
    SpeechStream stream(std::make_unique<CtcListener>(s, Ear{.unsure = 0}, true), options(), got.callbacks());
    push(stream, sound, 800);
    CHECK(stream.n_kept() < 3 * s.window_samples);
    CHECK(stream.stats().n_utterances >= 1);
    stream.finish();
    for (const TranscriptSegment &segment : got.segments) CHECK(segment.text.size() < 200);
  }
}
