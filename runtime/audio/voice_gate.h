// VoiceGate: a stream of sound to utterances: where speech begins and where it pauses, by VoiceActivity.
//
// An utterance begins when 70 of the last 150 ms had voice in them (a click has it in 30, a knock and its
// echo in 60), some time before the first of these, so that soft beginnings are in it; it ends when there was
// no such voice for as long as a pause takes. What is not in utterances is not worth hearing. Utterances do
// not overlap; positions are samples since the stream began, exact however long it gets.
//
// A value; one thread; nothing throws but std::bad_alloc.
#pragma once

#include "audio/voice_activity.h"

namespace fovea {

struct VoiceGateOptions {
  double pause_s = 0.6;  // without voice, that ends an utterance
  double before_s = 0.3; // kept before its first voice
};

class VoiceGate {
public:
  VoiceGate(uint32_t rate_hz, const VoiceGateOptions &options = {});

  enum class Event { None, Begin, End };
  /// Samples that push() takes: 10 ms.
  size_t block() const { return activity_.hop(); }
  Event push(std::span<const float> samples);

  bool open() const { return open_; }
  /// Of the utterance that is open, or was last.
  uint64_t begin() const { return begin_; }
  /// Where it ended: in the middle of the pause after it.
  uint64_t end() const { return end_; }
  /// Voice was heard in the last 150 ms: no time to interrupt.
  bool speaking() const { return open_ && n_blocks_ - last_voice_ <= kRecent; }
  /// No utterance that begins later will begin before.
  uint64_t earliest_begin() const;

private:
  static constexpr uint64_t kRecent = 15; // blocks
  VoiceActivity activity_;
  uint64_t pause_, before_; // blocks
  uint64_t n_blocks_ = 0, last_voice_ = 0;
  uint32_t recent_ = 0; // one bit for each of the last blocks, the newest lowest
  bool open_ = false;
  uint64_t begin_ = 0, end_ = 0;
};

} // namespace fovea
