// Speech for streams without a device: sound whose tokens an ear of the tests' own reads off it, and what
// comes out of a stream, checked as it comes.
#pragma once

#include "support/tiny_ctc_model.h"
#include "tasks/ctc_listener.h"
#include "tasks/speech_stream.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <random>

namespace fovea::test {

inline constexpr uint32_t kRate = 16000, kHop = 640; // 40 ms a frame

/// Letters and delimiters as in tiny_ctc_model.h; windows of 10 s that share 2 s.
inline CtcSpec spec() {
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
inline void say(std::vector<float> &to, int32_t token) {
  for (uint32_t i = 0; i < kHop; ++i)
    to.push_back(float(token) / 32 * float(std::sin(double(i) * 0.4) + std::sin(double(i) * 0.9)) / 2);
}

inline int32_t token_of(std::span<const float> frame) {
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
inline Said speech(size_t n_words, size_t per_pause, uint32_t seed = 1) {
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

inline std::vector<std::string> words_in(const std::string &text) {
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

inline StreamOptions options(double *clock = nullptr) {
  StreamOptions o;
  static double standing = 0;
  o.clock = [clock] { return clock ? *clock : standing; };
  return o;
}

/// Pushes in pieces of up to `piece` samples.
inline void push(SpeechStream &stream, std::span<const float> samples, size_t piece, uint32_t seed = 1) {
  std::mt19937 random(seed);
  for (size_t at = 0; at < samples.size();) {
    const size_t n = std::min<size_t>(samples.size() - at, piece > 1 ? 1 + random() % piece : piece);
    stream.push(samples.subspan(at, n));
    at += n;
  }
}

} // namespace fovea::test
