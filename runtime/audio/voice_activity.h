// VoiceActivity: is there a voice in the sound, every 10 ms, against whatever noise there is.
//
// The power in each critical band (Zwicker, 1961) of a frame is set against the noise there, and their mean
// ratio against a threshold: the long-term spectral divergence of Ramírez et al., "Efficient voice activity
// detection algorithms using long-term speech information" (2004), without its maximum over neighbouring
// frames, which a click would pass. The noise is the least power of the last 3 s, averaged over 80 ms and
// corrected for being a minimum: minimum statistics (Martin, 2001) with a plain average, whose memory of a
// loud vowel is short. A steady hum, a fan or rain is taken for noise within 3 s of its beginning; until
// then, and at the very beginning, it is taken for voice: better to listen in vain than to miss a word.
//
// Decisions depend on the samples alone, not on how they are pushed. A value; one thread; nothing throws but
// std::bad_alloc. Rejected: libfvad and WebRTC's audio processing (the first is not in Debian 12, the second
// is C++ of several MB whose detector cannot be had alone), a trained detector (a model more to ship).
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fovea {

class VoiceActivity {
public:
  /// rate_hz: 1000 or more.
  explicit VoiceActivity(uint32_t rate_hz);
  /// Samples from one decision to the next: 10 ms.
  size_t hop() const { return hop_; }
  /// The next hop() samples, full scale 1: whether there is voice in the last 20 to 40 ms.
  bool push(std::span<const float> samples);
  /// Mean power of the last frame's bands over that of the noise there; 1 and less: nothing but noise.
  double ratio() const { return ratio_; }

private:
  struct Band {
    size_t begin = 0, end = 0;  // bins
    double correction = 1;      // of the minimum to the mean
    double average = 0;         // over the last kAverage frames
    std::vector<double> recent; // [kAverage] frames' powers
    std::vector<double> minima; // [kParts] of the last parts of the memory
    double minimum = 0;         // of the part that runs
    double noise() const;
  };
  void transform();

  size_t hop_, n_frames_ = 0;
  std::vector<float> last_; // [frame] samples, the newest at the end
  std::vector<double> window_;
  std::vector<std::complex<double>> bins_, roots_;
  std::vector<Band> bands_;
  double ratio_ = 0;
};

} // namespace fovea
