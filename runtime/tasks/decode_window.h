// WindowDecoder: the text of one window whose encoder output is in the session: greedy, beam search or
// sampling, and the fallback from one to the next. One thread. Throws what SpeechSession throws.
#pragma once

#include "tasks/sampling.h"
#include "tasks/speech_session.h"
#include "text/tokenizer.h"

#include <optional>

namespace fovea {

/// How a window is decoded: the parts of TranscribeOptions that matter here, checked.
struct DecodeOptions {
  std::vector<float> temperatures;
  std::optional<float> compression_ratio_threshold, logprob_threshold, no_speech_threshold;
  uint32_t best_of = 1;
  float patience = 1;
  std::optional<float> length_penalty;
  uint32_t max_tokens = 0;
};

/// What the decoder is given before it writes: [previous, text …] start [language task] [no timestamps].
struct Prompt {
  std::vector<int32_t> tokens;
  uint32_t start_at = 0; // index of the start token
};

struct DecodedWindow {
  std::vector<int32_t> tokens; // the end token left out
  std::string text;            // of the text tokens, without surrounding spaces
  float avg_logprob = 0, compression_ratio = 0, no_speech_prob = 0, temperature = 0;
  bool ended = false; // false: cut at max_tokens
};

class WindowDecoder {
public:
  /// All must outlive the decoder.
  WindowDecoder(SpeechSession &session, const Tokenizer &tokenizer, const TimestampRules &rules,
                Random &random);

  /// Tries options.temperatures in turn until a text passes the thresholds; the last otherwise.
  DecodedWindow decode(const Prompt &prompt, const DecodeOptions &options);

private:
  struct Result {
    Hypothesis best;
    bool ended = false;
  };
  void read_prompt(const Prompt &prompt);
  Result greedy();
  Result beam_search(const DecodeOptions &options);
  Result sample(const DecodeOptions &options, float temperature);
  void first_step(SpeechSession::Wants wants);

  SpeechSession &session_;
  const Tokenizer &tokenizer_;
  const TimestampRules &rules_;
  Random &random_;
  Prompt prompt_;
  uint32_t max_tokens_ = 0;
  std::optional<float> no_speech_prob_;
};

/// The text that tokens stand for: times and special tokens left out, valid UTF-8, spaces kept.
std::string text_of(const SpeechSpec &spec, const Tokenizer &tokenizer, std::span<const int32_t> tokens);

} // namespace fovea
