// TokenListener: an utterance transcribed as a recording by itself, at its end or when it fills a window;
// then all segments but the last settle, which the window may have cut, and the rest begins with it. Where
// one segment fills the window, it settles as it is. Text so far is the same, greedy and once.
// What was said before a pause is no prompt: given half a sentence, models tend to write nothing of the rest.
//
// The transcription must outlive the listener.
#pragma once

#include "tasks/listener.h"
#include "tasks/transcription.h"

namespace fovea {

class TokenListener final : public Listener {
public:
  /// window_samples: what the model hears at once.
  TokenListener(Transcription &transcription, uint32_t window_samples, TranscribeOptions options)
      : transcription_(transcription), window_samples_(window_samples), options_(std::move(options)) {}

  uint32_t sample_rate_hz() const override { return transcription_.sample_rate_hz(); }
  void warm_up() override;
  void begin(uint64_t sample) override {
    begin_ = sample;
    open_ = true;
  }
  Heard hear(const StreamSound &sound, Moment moment, uint64_t end) override;
  bool settle_due(uint64_t now, double) const override { return now >= begin_ + window_samples_; }
  uint64_t keep_from(uint64_t now) const override { return open_ ? begin_ : now; }
  std::pair<std::string, float> language() const override { return {language_, language_probability_}; }

private:
  Transcription &transcription_;
  uint32_t window_samples_;
  TranscribeOptions options_;
  uint64_t begin_ = 0;   // of what is not settled
  bool open_ = false;    // an utterance is
  std::string language_; // of the first text that settled
  float language_probability_ = 0;
};

} // namespace fovea
