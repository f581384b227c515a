#include "tasks/token_listener.h"

#include <cmath>

namespace fovea {

void TokenListener::warm_up() {
  TranscribeOptions options = options_;
  options.max_tokens_per_window = 8;
  options.temperatures = {0};
  const std::vector<float> silence(sample_rate_hz());
  transcription_.transcribe(*AudioSource::of(silence), options, {});
}

Heard TokenListener::hear(const StreamSound &sound, Moment moment, uint64_t end) {
  Heard heard;
  if (end <= begin_) { // all of it settled when it filled a window
    open_ = open_ && moment != Moment::End;
    return heard;
  }
  const std::vector<float> samples = sound.window(int64_t(begin_), int64_t(end));
  TranscribeOptions options = options_;
  if (options.language.empty()) options.language = language_;
  if (moment == Moment::Partial) options.temperatures.resize(1);
  Transcript transcript = transcription_.transcribe(*AudioSource::of(samples), options, {});
  for (TranscriptSegment &s : transcript.segments) {
    s.start_s += double(begin_) / sample_rate_hz();
    s.end_s += double(begin_) / sample_rate_hz();
  }
  auto &segments = transcript.segments;
  size_t n_settle = moment == Moment::Partial ? 0 : segments.size();
  uint64_t next = end;
  if (moment == Moment::Settle && n_settle > 1) {
    --n_settle;
    const auto reached = uint64_t(std::llround(segments[n_settle - 1].end_s * sample_rate_hz()));
    next = std::clamp(reached, begin_ + 1, end);
  }
  if (n_settle < segments.size()) {
    TranscriptSegment &partial = heard.partial.emplace(segments[n_settle]);
    for (size_t i = n_settle + 1; i < segments.size(); ++i) {
      partial.text += segments[i].text;
      partial.tokens.insert(partial.tokens.end(), segments[i].tokens.begin(), segments[i].tokens.end());
    }
    partial.end_s = segments.back().end_s;
  }
  if (moment == Moment::Partial) return heard;
  begin_ = next;
  open_ = moment != Moment::End;
  segments.resize(n_settle);
  if (!segments.empty() && language_.empty()) {
    language_ = transcript.language;
    language_probability_ = transcript.language_probability;
  }
  heard.settled = std::move(segments);
  return heard;
}

} // namespace fovea
