// Recording: windows of an AudioSource with the context around them, in one pass front to back. Keeps the
// samples of one window. One thread. Throws InvalidArgument for a sample that is not finite, and what the
// source throws.
#pragma once

#include "tasks/speech_spec.h"
#include "tasks/transcribe.h"

namespace fovea {

struct WindowSizes {
  uint32_t sample_rate_hz = 0, window_samples = 0, context_before = 0, context_after = 0;
};

class Recording {
public:
  /// Starts at the source's first sample.
  Recording(AudioSource &source, const WindowSizes &sizes);
  Recording(AudioSource &source, const SpeechSpec &spec)
      : Recording(source, WindowSizes{spec.sample_rate_hz, spec.window_samples, spec.context_before,
                                      spec.context_after}) {}

  /// The window that starts at sample `start`, which never decreases: context_before samples, the window,
  /// context_after. Before its first sample the recording is mirrored there, after its last it is silent.
  /// Valid until the next call.
  std::span<const float> window(uint64_t start);
  /// Samples read so far: all of them once ended().
  uint64_t n_samples() const { return begin_ + samples_.size(); }
  bool ended() const { return ended_; }

private:
  void read_up_to(uint64_t end);
  float at(int64_t sample) const;

  AudioSource &source_;
  WindowSizes sizes_;
  std::vector<float> samples_; // from sample begin_ on
  uint64_t begin_ = 0;
  bool ended_ = false;
  std::vector<float> window_;
};

} // namespace fovea
