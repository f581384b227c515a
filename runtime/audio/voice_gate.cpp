#include "audio/voice_gate.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fovea {
namespace {

// Of the last kRecent blocks, with voice: to begin an utterance, and to go on with it.
constexpr int kToBegin = 7, kToGoOn = 5;

} // namespace

VoiceGate::VoiceGate(uint32_t rate_hz, const VoiceGateOptions &options)
    : activity_(rate_hz), pause_(uint64_t(std::lround(options.pause_s * 100))),
      before_(uint64_t(std::lround(options.before_s * 100))) {}

uint64_t VoiceGate::earliest_begin() const {
  const uint64_t back = before_ + kRecent;
  return std::max(end_, (n_blocks_ - std::min(n_blocks_, back)) * block());
}

VoiceGate::Event VoiceGate::push(std::span<const float> samples) {
  recent_ = ((recent_ << 1) | uint32_t(activity_.push(samples))) & ((1u << kRecent) - 1);
  ++n_blocks_;
  const int n_voiced = std::popcount(recent_);
  if (!open_) {
    if (n_voiced < kToBegin) return Event::None;
    const uint64_t back = before_ + uint64_t(std::bit_width(recent_));
    begin_ = std::max(end_, (n_blocks_ - std::min(n_blocks_, back)) * block());
    last_voice_ = n_blocks_;
    open_ = true;
    return Event::Begin;
  }
  if (n_voiced >= kToGoOn && (recent_ & 1)) last_voice_ = n_blocks_;
  if (n_blocks_ - last_voice_ < pause_) return Event::None;
  open_ = false;
  end_ = (n_blocks_ - pause_ / 2) * block();
  return Event::End;
}

} // namespace fovea
