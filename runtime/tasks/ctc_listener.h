// CtcListener: an utterance heard again and again with the CTC model, each time in a window that ends now.
//
// A word settles when it ends further from the window's edge than the file's overlap (what the model needs to
// hear on either side, ctc_spec.h), and at the end of the utterance all do. A new window begins at least as
// far before the last settled word; its words are told from the settled ones by where their middle lies, not
// frame by frame: two hearings may put a letter one frame apart, and would write it twice. Windows begin on
// the frames of one whole pass over the stream, and have one of five lengths, each twice the other, with
// sound from before the utterance where there is more room: a program is made for each length.
//
// What settles depends on the sound alone as long as a hearing takes less than half of kSettleSeconds; on
// slower devices words settle later. `spec` and what `ear` uses must outlive the listener.
#pragma once

#include "tasks/ctc_segments.h"
#include "tasks/listener.h"

namespace fovea {

class CtcListener final : public Listener {
public:
  using Ear = std::function<std::vector<CtcFrame>(std::span<const float> samples)>;
  /// Whether a number of samples was heard before; without it none is.
  using IsReady = std::function<bool(size_t n_samples)>;
  CtcListener(const CtcSpec &spec, Ear ear, bool with_times, IsReady is_ready = {});

  uint32_t sample_rate_hz() const override { return spec_.sample_rate_hz; }
  void warm_up() override;
  void begin(uint64_t sample) override;
  Heard hear(const StreamSound &sound, Moment moment, uint64_t end) override;
  bool settle_due(uint64_t now, double cost_s) const override;
  uint64_t keep_from(uint64_t now) const override;
  std::pair<std::string, float> language() const override { return {}; }

  static constexpr double kSettleSeconds = 2;

private:
  std::vector<CtcWord> words(const StreamSound &sound, uint64_t end) const;
  uint32_t window_length(uint64_t at_least) const;
  /// What began `since` would not fit into a window much longer.
  bool must_settle(uint64_t now, uint64_t since) const;
  size_t settle(std::span<const CtcWord> all, uint64_t now);
  /// Where a word is: the sample in its middle.
  uint64_t middle(const CtcWord &word) const {
    return (word.begin_frame + word.end_frame) * spec_.hop_samples / 2;
  }

  const CtcSpec &spec_;
  Ear ear_;
  IsReady is_ready_;
  std::vector<uint32_t> lengths_; // of windows, ascending
  CtcSegmenter segmenter_;
  uint64_t settled_ = 0;    // samples: words before are decided
  uint64_t settled_at_ = 0; // when something could last settle
  bool any_words_ = false;  // settled
};

} // namespace fovea
