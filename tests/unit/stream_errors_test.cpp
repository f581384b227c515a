// Streams whose hearing or callbacks fail, and what a stream refuses.
#include "support/stream_speech.h"

#include <limits>

using namespace fovea;
using namespace fovea::test;

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
