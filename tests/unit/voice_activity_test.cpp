// Voice against silence, noise, clicks and an offset; and where utterances begin and end.
#include "audio/audio.h"
#include "audio/voice_gate.h"
#include "support/shared_folder.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <numbers>
#include <random>

using namespace fovea;
using namespace fovea::test;

namespace {

using Samples = std::vector<float>;

Samples noise(double seconds, double level, uint32_t rate = 16000, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, float(level));
  Samples out(size_t(seconds * rate));
  for (float &v : out) v = normal(random);
  return out;
}

/// Like a voice: harmonics of a gliding pitch below three formants, in syllables of 0.2 s.
Samples voice(double seconds, double level, uint32_t rate = 16000) {
  Samples out(size_t(seconds * rate));
  double phase = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double t = double(i) / rate;
    phase += 2 * std::numbers::pi * (120 + 20 * std::sin(3 * t)) / rate;
    double v = 0;
    for (int k = 1; k < 26 && k * 140.0 < rate / 2.0; ++k) {
      const double hz = 120.0 * k;
      double gain = 0;
      for (const double formant : {500.0, 1500.0, 2500.0})
        gain += 1 / (1 + std::pow((hz - formant) / 120, 2));
      v += gain * std::sin(k * phase);
    }
    out[i] = float(level * v * std::abs(std::sin(std::numbers::pi * t / 0.2)));
  }
  return out;
}

Samples operator+(Samples a, const Samples &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void add(Samples &to, const Samples &what) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += what[i];
}

double level_of(const Samples &samples) {
  double sum = 0;
  for (const float v : samples) sum += double(v) * v;
  return std::sqrt(sum / double(samples.size()));
}

struct Utterance {
  double begin_s, end_s;
};

/// Those that ended within `samples`, and the one that is open at its end.
std::vector<Utterance> utterances(const Samples &samples, uint32_t rate = 16000,
                                  VoiceGateOptions options = {}) {
  VoiceGate gate(rate, options);
  std::vector<Utterance> out;
  for (size_t at = 0; at + gate.block() <= samples.size(); at += gate.block()) {
    const auto event = gate.push(std::span(samples).subspan(at, gate.block()));
    CHECK(gate.open() ==
          (event == VoiceGate::Event::Begin || (gate.open() && event == VoiceGate::Event::None)));
    if (event == VoiceGate::Event::End)
      out.push_back({double(gate.begin()) / rate, double(gate.end()) / rate});
  }
  if (gate.open()) out.push_back({double(gate.begin()) / rate, double(samples.size()) / rate});
  return out;
}

/// Without what was taken for voice before the noise was known.
std::vector<Utterance> after_noise(std::vector<Utterance> all) {
  std::erase_if(all, [](const Utterance &u) { return u.end_s < 2; });
  return all;
}

size_t n_voiced(const Samples &samples, double from_s, uint32_t rate = 16000) {
  VoiceActivity activity(rate);
  size_t n = 0;
  for (size_t at = 0; at + activity.hop() <= samples.size(); at += activity.hop())
    n += activity.push(std::span(samples).subspan(at, activity.hop())) && double(at) >= from_s * rate;
  return n;
}

} // namespace

TEST_CASE("voice activity: silence and steady noise are no voice, at any level and rate") {
  for (const uint32_t rate : {8000u, 16000u, 44100u, 48000u}) {
    CAPTURE(rate);
    CHECK(n_voiced(Samples(rate * 3), 0, rate) == 0);
    CHECK(n_voiced(noise(10, 1e-5, rate), 0, rate) == 0); // -100 dB: too quiet to be anything
    for (const double level : {1e-3, 1e-2, 0.1, 0.3}) {
      CAPTURE(level);
      CHECK(n_voiced(noise(20, level, rate), 1.2, rate) == 0);
    }
  }
  for (const double level : {0.0, 1e-3, 0.1}) // few bands: frames may err, utterances may not
    for (const Utterance &u : utterances(noise(60, level, 1000), 1000)) CHECK(u.end_s < 2);
  // The fan is switched on: voice for as long as the noise is remembered, then not any more.
  const Samples fan = noise(5, 1e-3) + noise(15, 0.05, 16000, 2);
  CHECK(n_voiced(fan, 1.2) > 200);
  CHECK(n_voiced(fan, 8.4) == 0);
  // A hum and its harmonics.
  Samples hum = noise(10, 1e-3);
  for (size_t i = 0; i < hum.size(); ++i)
    for (const double hz : {50, 100, 150, 250, 350})
      hum[i] += float(0.05 * std::sin(2 * std::numbers::pi * hz * double(i) / 16000));
  CHECK(n_voiced(hum, 1.2) == 0);
}

TEST_CASE("voice activity: an offset is not heard, nor is what is beyond full scale a fault") {
  Samples offset(16000 * 10, 0.3f);
  CHECK(n_voiced(offset, 0.1) == 0);
  const Samples quiet = Samples(16000) + voice(2, 0.05) + Samples(16000);
  Samples both = quiet;
  for (float &v : both) v += 0.3f;
  CHECK(std::abs(int(n_voiced(both, 0.1)) - int(n_voiced(quiet, 0.1))) <= 4);
  Samples loud = voice(1, 1e30) + Samples(16000 * 2);
  CHECK(n_voiced(loud, 0) > 50);
  CHECK(n_voiced(loud, 1.1) == 0);
}

TEST_CASE("voice activity: a voice stands out of noise as loud as itself, and does not become noise") {
  const Samples said = voice(2, 0.05);
  for (const double snr_db : {40, 20, 10, 5, 0}) {
    CAPTURE(snr_db);
    Samples sound = Samples(16000 * 4) + said + Samples(16000 * 2);
    add(sound, noise(8, level_of(said) * std::pow(10, -snr_db / 20)));
    const auto found = after_noise(utterances(sound));
    REQUIRE(found.size() == 1);
    CHECK(found[0].begin_s > 3.5);
    CHECK(found[0].begin_s < 4.0);
    CHECK(found[0].end_s > 5.9);
    CHECK(found[0].end_s < 6.5);
  }
  // Half a minute without a pause.
  Samples speech = Samples(16000) + voice(30, 0.05) + Samples(16000 * 2);
  add(speech, noise(33, 1e-3));
  const auto found = utterances(speech);
  CHECK(found.size() == 1);
  CHECK(found.back().end_s > 30.9);
}

TEST_CASE("voice gate: clicks begin nothing and hold nothing up") {
  for (const double level : {0.0, 1e-3}) {
    Samples clicks = noise(10, level);
    for (size_t i = 8000; i < clicks.size(); i += 4800) clicks[i] += 0.9f;
    CHECK(after_noise(utterances(clicks)).empty());
  }
  Samples twice(16000 * 3); // a mouse, pressed and released
  for (const size_t i : {16000, 17400, 32000, 33400}) twice[i] = 0.9f;
  CHECK(utterances(twice).empty());
  Samples after = Samples(16000) + voice(1, 0.05) + Samples(16000);
  const auto plain = utterances(after);
  for (size_t i = 34000; i < after.size(); i += 3200) after[i] = 0.9f;
  const auto clicked = utterances(after);
  REQUIRE(plain.size() == 1);
  REQUIRE(clicked.size() == 1);
  CHECK(clicked[0].end_s < plain[0].end_s + 0.15);
}

TEST_CASE("voice gate: utterances begin before their voice and end in the middle of the pause") {
  Samples sound = Samples(8000);
  std::vector<double> begins;
  for (int i = 0; i < 5; ++i) {
    begins.push_back(double(sound.size()) / 16000);
    sound = sound + voice(1.0, 0.05) + Samples(size_t(16000 * (i % 2 ? 0.4 : 0.9)));
  }
  const auto found = utterances(sound); // 0.4 s is no pause
  REQUIRE(found.size() == 3);
  const std::pair<size_t, size_t> wanted[] = {{0, 0}, {1, 2}, {3, 4}}; // first and last voice of each
  double reached = 0;
  for (size_t i = 0; i < 3; ++i) {
    const double begin = begins[wanted[i].first], end = begins[wanted[i].second] + 1;
    CHECK(found[i].begin_s >= reached);
    CHECK(found[i].begin_s == doctest::Approx(begin - 0.3).epsilon(0.05));
    CHECK(found[i].end_s == doctest::Approx(end + 0.3).epsilon(0.03));
    reached = found[i].end_s;
  }
  CHECK(utterances(sound, 16000, {.pause_s = 0.3}).size() == 5);
  CHECK(utterances(sound, 16000, {.pause_s = 1.5}).size() == 1);
}

TEST_CASE("voice gate: real speech, its words within utterances, its pauses without") {
  Audio sentence = read_audio(FOVEA_SOURCE_DIR "/samples/audio/hello.flac");
  sentence.samples = sentence.samples + read_audio(FOVEA_SOURCE_DIR "/samples/audio/story.flac").samples;
  const auto found = utterances(Samples(16000) + sentence.samples + Samples(16000), 16000, {.pause_s = 0.35});
  REQUIRE(found.size() >= 2); // its sentences
  CHECK(found.front().begin_s < 1.05);
  size_t last = sentence.samples.size(); // that can be heard
  while (std::abs(sentence.samples[last - 1]) < 0.01f) --last;
  CHECK(found.back().end_s > 1 + double(last) / 16000);
  for (const auto &[name, n] : {std::pair{"audio/spk1_snt1.wav", 1},
                                {"audio/spk1_snt5.wav", 1},
                                {"audio/digits/7_jackson_0.wav", 1},
                                {"audio/digits/3_george_0.wav", 1}}) {
    const std::string path = shared_path(name);
    if (path.empty()) return;
    CAPTURE(path);
    const Audio clip = read_audio(path);
    for (const double snr_db : {60, 20, 10, 5}) {
      CAPTURE(snr_db);
      Samples sound = Samples(16000 * 4) + clip.samples + Samples(16000 * 2);
      add(sound, noise(double(sound.size()) / 16000, level_of(clip.samples) * std::pow(10, -snr_db / 20)));
      const auto in_noise = after_noise(utterances(sound));
      CHECK(in_noise.size() >= 1);
      CHECK(int(in_noise.size()) <= n + (snr_db < 20));
      if (in_noise.empty()) continue;
      CHECK(in_noise.front().begin_s > 3.5);
      CHECK(in_noise.front().begin_s < 4.5);
      CHECK(in_noise.back().end_s > 3.8 + 0.7 * clip.duration_s());
    }
  }
}

TEST_CASE("voice activity: the same in one piece, and for long") {
  // Positions are counted, not summed up: a begin minutes from now is exact.
  VoiceGate gate(16000);
  const Samples silence(160), said = voice(1, 0.05);
  for (int i = 0; i < 60000; ++i) CHECK_FALSE(bool(gate.push(silence) != VoiceGate::Event::None));
  for (size_t at = 0; at + 160 <= said.size(); at += 160) gate.push(std::span(said).subspan(at, 160));
  CHECK(gate.open());
  CHECK(gate.begin() > 600ull * 16000 - 6400);
  CHECK(gate.begin() < 600ull * 16000);
}
