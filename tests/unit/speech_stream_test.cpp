// A stream's text by a listener of the tests' own and by the CTC listener with an ear of the tests' own: what
// settles, when, and what it costs, by a clock that only the test moves.
#include "support/tiny_ctc_model.h"
#include "tasks/ctc_listener.h"
#include "tasks/speech_stream.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <random>

using namespace fovea;
using namespace fovea::test;

namespace {

constexpr uint32_t kRate = 16000, kHop = 640; // 40 ms a frame

/// Letters and delimiters as in tiny_ctc_model.h; windows of 10 s that share 2 s.
CtcSpec spec() {
  CtcSpec s;
  s.sample_rate_hz = kRate;
  s.hop_samples = s.context_samples = kHop;
  s.window_samples = 10 * kRate;
  s.overlap_samples = 25 * kHop; // 1 s
  s.blank = kCtcBlank;
  s.delimiter = kCtcDelimiter;
  s.tokens = {"", "|", ""};
  for (char c = 'A'; s.tokens.size() < kCtcVocabulary; ++c) s.tokens.push_back(std::string(1, c));
  return s;
}

/// A frame's sound: a whine that the gate takes for voice, as loud as its token's number says.
void say(std::vector<float> &to, int32_t token) {
  for (uint32_t i = 0; i < kHop; ++i)
    to.push_back(float(token) / 32 * float(std::sin(double(i) * 0.4) + std::sin(double(i) * 0.9)) / 2);
}

int32_t token_of(std::span<const float> frame) {
  double sum = 0;
  for (const float v : frame) sum += double(v) * v;
  return int32_t(std::lround(std::sqrt(4 * sum / kHop) * 32));
}

/// Says what it hears in each frame; near the edges, where there is no telling, anything.
struct Ear {
  uint32_t unsure = 10; // frames
  std::vector<size_t> *lengths = nullptr;
  double *clock = nullptr;
  double cost_s = 0;
  std::vector<CtcFrame> operator()(std::span<const float> samples) const {
    if (lengths) lengths->push_back(samples.size());
    if (clock) *clock += cost_s;
    std::vector<CtcFrame> frames;
    const size_t n = samples.size() / kHop;
    for (size_t i = 0; i < n; ++i) {
      const int32_t token = token_of(samples.subspan(i * kHop, kHop));
      const bool is_unsure = i < unsure || i + unsure >= n;
      const bool is_wrong = is_unsure && token >= kCtcLetterA;
      frames.push_back({is_wrong ? kCtcLetterA + (token + int32_t(n)) % 13 : token, -0.1f});
    }
    return frames;
  }
};

struct Said {
  std::vector<float> samples;
  std::vector<std::string> words;
};

/// Words of one to six letters (80 ms each); a pause of a second after each `per_pause` words.
Said speech(size_t n_words, size_t per_pause, uint32_t seed = 1) {
  Said said;
  std::mt19937 random(seed);
  const auto silence = [&](int frames) { said.samples.resize(said.samples.size() + size_t(frames) * kHop); };
  silence(20);
  for (size_t i = 0; i < n_words; ++i) {
    std::string word;
    for (auto n = 2 + random() % 5; n > 0; --n) {
      char letter = char('A' + random() % 13);
      if (!word.empty() && letter == word.back()) letter = letter == 'M' ? 'A' : char(letter + 1);
      word += letter;
      for (int k = 0; k < 2; ++k) say(said.samples, kCtcLetterA + letter - 'A');
    }
    said.words.push_back(word);
    say(said.samples, kCtcDelimiter);
    if (per_pause && (i + 1) % per_pause == 0) silence(25 + int(random() % 5));
  }
  silence(12); // more than an ear is unsure of
  return said;
}

std::vector<std::string> words_in(const std::string &text) {
  std::vector<std::string> out(1);
  for (const char c : text)
    if (c != ' ')
      out.back() += c;
    else if (!out.back().empty())
      out.emplace_back();
  if (out.back().empty()) out.pop_back();
  return out;
}

/// What comes out of a stream, checked as it comes.
struct Collector {
  std::vector<TranscriptSegment> segments;
  std::vector<std::string> partials;
  double reached_s = 0;
  StreamCallbacks callbacks() {
    StreamCallbacks to;
    to.segment = [this](const TranscriptSegment &s) {
      CHECK(s.start_s >= reached_s);
      for (const TranscriptWord &w : s.words) {
        CHECK(w.start_s >= reached_s);
        CHECK(w.end_s >= w.start_s);
        reached_s = w.end_s;
      }
      CHECK(s.end_s >= reached_s);
      reached_s = s.end_s;
      segments.push_back(s);
    };
    to.partial = [this](const std::optional<TranscriptSegment> &s) {
      partials.push_back(s ? s->text : "");
      if (s) CHECK(s->start_s >= reached_s);
    };
    return to;
  }
  std::vector<std::string> words() const {
    std::string text;
    for (const TranscriptSegment &s : segments) text += s.text;
    return words_in(text);
  }
};

StreamOptions options(double *clock = nullptr) {
  StreamOptions o;
  static double standing = 0;
  o.clock = [clock] { return clock ? *clock : standing; };
  return o;
}

/// Pushes in pieces of up to `piece` samples.
void push(SpeechStream &stream, std::span<const float> samples, size_t piece, uint32_t seed = 1) {
  std::mt19937 random(seed);
  for (size_t at = 0; at < samples.size();) {
    const size_t n = std::min<size_t>(samples.size() - at, piece > 1 ? 1 + random() % piece : piece);
    stream.push(samples.subspan(at, n));
    at += n;
  }
}

} // namespace

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

namespace {

/// Writes down what it is asked; fails when told to.
class Recorder final : public Listener {
public:
  struct Asked {
    Moment moment;
    uint64_t now, end, from;
  };
  std::vector<Asked> asked;
  bool fails = false;
  uint64_t begun = 0;

  uint32_t sample_rate_hz() const override { return kRate; }
  void warm_up() override {}
  void begin(uint64_t sample) override { begun = sample; }
  Heard hear(const StreamSound &sound, Moment moment, uint64_t end) override {
    if (fails) fail(ErrorCode::Cancelled, "told to");
    asked.push_back({moment, sound.end(), end, sound.begin});
    Heard heard;
    TranscriptSegment s;
    s.start_s = double(begun) / kRate;
    s.end_s = double(end) / kRate;
    s.text = concat("text ", asked.size());
    if (moment == Moment::Partial)
      heard.partial = s;
    else
      heard.settled = {s};
    return heard;
  }
  bool settle_due(uint64_t now, double) const override { return now >= begun + 5 * kRate; }
  uint64_t keep_from(uint64_t now) const override { return now; }
  std::pair<std::string, float> language() const override { return {"en", 0.5f}; }
};

} // namespace

TEST_CASE("stream: after an error it goes on where it stopped, and nothing is lost") {
  const Said said = speech(63, 6);
  const auto run = [&](bool with_errors) {
    auto owned = std::make_unique<Recorder>();
    Recorder &recorder = *owned;
    Collector got;
    StreamCallbacks callbacks = got.callbacks();
    std::string languages;
    size_t n_thrown = 0;
    callbacks.language = [&](const std::string &code, float) { languages += code; };
    const auto segment = callbacks.segment;
    callbacks.segment = [&, n = 0](const TranscriptSegment &s) mutable {
      segment(s);
      if (with_errors && ++n % 3 == 0) fail(ErrorCode::Cancelled, "enough");
    };
    StreamOptions o = options();
    o.partial_s = 0;
    SpeechStream stream(std::move(owned), o, callbacks);
    std::mt19937 random(9);
    for (size_t at = 0; at < said.samples.size(); at += 1600) {
      recorder.fails = with_errors && random() % 3 == 0;
      try {
        stream.push(std::span(said.samples).subspan(at, std::min<size_t>(1600, said.samples.size() - at)));
      } catch (const Error &) {
        ++n_thrown;
      }
    }
    recorder.fails = with_errors;
    if (with_errors) CHECK_THROWS_AS(stream.finish(), Error);
    recorder.fails = false;
    for (int i = 0; i < 3; ++i) try {
        stream.finish();
      } catch (const Error &) {
        ++n_thrown;
      }
    CHECK((n_thrown > 3) == with_errors);
    CHECK(languages == "en");
    CHECK_THROWS_WITH_AS(stream.push(said.samples), doctest::Contains("finished"), Error);
    return got.segments;
  };
  const auto without = run(false), with = run(true);
  REQUIRE(with.size() == without.size());
  CHECK(with.size() >= 10);
  for (size_t i = 0; i < with.size(); ++i) {
    CHECK(with[i].text == without[i].text);
    CHECK(with[i].end_s == without[i].end_s);
  }
}

TEST_CASE("stream: silence costs nothing; what is no sound is refused whole; options have limits") {
  auto owned = std::make_unique<Recorder>();
  Recorder &recorder = *owned;
  SpeechStream stream(std::move(owned), options(), {});
  const std::vector<float> silence(kRate);
  for (int i = 0; i < 60; ++i) stream.push(silence);
  CHECK(recorder.asked.empty());
  CHECK(stream.n_kept() < 3 * kRate);
  CHECK(stream.stats().audio_s == 60);
  std::vector<float> broken = silence;
  broken[77] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(stream.push(broken), doctest::Contains("sample 960077 (at 60.0048"), Error);
  CHECK(stream.stats().audio_s == 60);
  stream.push({});
  stream.finish();
  stream.finish();
  CHECK(recorder.asked.empty());
  for (const double bad : {0.0, 0.1, 6.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    StreamOptions o;
    o.pause_s = bad;
    CHECK_THROWS_WITH_AS(SpeechStream(std::make_unique<Recorder>(), o, {}),
                         doctest::Contains("expected 0.2 to 5"), Error);
  }
  StreamOptions o;
  o.partial_s = -1;
  CHECK_THROWS_WITH_AS(SpeechStream(std::make_unique<Recorder>(), o, {}),
                       doctest::Contains("expected 0 to 3600"), Error);
}
