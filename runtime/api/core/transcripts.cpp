#include "api/core/transcripts.h"

#include <cmath>
#include <limits>

namespace fovea::api {
namespace {

constexpr float kOff = std::numeric_limits<float>::quiet_NaN();

std::optional<float> threshold(float value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

/// temperature, + 0.2, + 0.4 … up to 1.
std::vector<float> temperatures(float first, bool fallback) {
  if (!(first >= 0 && std::isfinite(first)))
    fail(ErrorCode::InvalidArgument, "temperature is ", first, ", expected 0 or more");
  std::vector<float> all = {first};
  for (int i = 1; fallback && first + 0.2f * float(i) < 1.0f + 1e-4f; ++i)
    all.push_back(first + 0.2f * float(i));
  return all;
}

} // namespace

fovea_transcribe_options transcribe_defaults() {
  fovea_transcribe_options o{};
  o.struct_size = sizeof o;
  o.timestamps = 1;
  o.fallback = 1;
  o.compression_ratio_threshold = 2.4f;
  o.logprob_threshold = -1.0f;
  o.no_speech_threshold = 0.6f;
  o.best_of = 5;
  o.patience = 1.0f;
  o.length_penalty = kOff;
  o.condition_on_previous = 1;
  o.max_initial_timestamp_s = 1.0f;
  return o;
}

TranscribeOptions to_options(const fovea_transcribe_options &o) {
  TranscribeOptions to;
  if (o.language) to.language = o.language;
  to.translate = o.translate != 0;
  to.timestamps = o.timestamps != 0;
  to.temperatures = temperatures(o.temperature, o.fallback != 0);
  to.compression_ratio_threshold = threshold(o.compression_ratio_threshold);
  to.logprob_threshold = threshold(o.logprob_threshold);
  to.no_speech_threshold = threshold(o.no_speech_threshold);
  to.best_of = o.best_of;
  to.seed = o.seed;
  to.patience = o.patience;
  to.length_penalty = threshold(o.length_penalty);
  to.condition_on_previous_text = o.condition_on_previous != 0;
  if (o.prompt) to.initial_prompt = o.prompt;
  to.max_initial_timestamp_s = std::isnan(o.max_initial_timestamp_s) ? -1.0f : o.max_initial_timestamp_s;
  to.max_tokens_per_window = o.max_tokens;
  to.cancel = flag(o.cancel);
  return to;
}

std::vector<fovea_word> words_of(const TranscriptSegment &segment) {
  std::vector<fovea_word> out;
  for (const TranscriptWord &w : segment.words)
    out.push_back({w.start_s, w.end_s, w.text.c_str(), w.probability});
  return out;
}

fovea_segment view_of(const TranscriptSegment &segment, const std::vector<fovea_word> &words, size_t index) {
  return {sizeof(fovea_segment),
          uint32_t(index),
          segment.start_s,
          segment.end_s,
          segment.text.c_str(),
          segment.tokens.data(),
          segment.tokens.size(),
          segment.avg_logprob,
          segment.compression_ratio,
          segment.no_speech_prob,
          segment.temperature,
          words.empty() ? nullptr : words.data(),
          words.size()};
}

} // namespace fovea::api
