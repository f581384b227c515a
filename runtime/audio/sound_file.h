// SoundFile: decoded sound, checked, with the channels averaged as it is read. Internal to audio/.
// Owns the libsndfile stream and two blocks of samples. One thread at a time. Throws the Errors that audio.h
// lists.
#pragma once

#include "audio/sound_input.h"

#include <cstdint>
#include <memory>

namespace fovea {

inline constexpr uint32_t kMinRateHz = 1000, kMaxRateHz = 1'000'000;

class SoundFile {
public:
  explicit SoundFile(std::unique_ptr<SoundInput> input);
  ~SoundFile();
  SoundFile(const SoundFile &) = delete;
  SoundFile &operator=(const SoundFile &) = delete;

  /// The next block of mono samples, empty at the end; valid until the next call.
  std::span<const float> read_block();

  uint32_t rate_hz() const { return rate_hz_; }
  uint32_t channels() const { return n_channels_; }
  uint64_t claimed_frames() const { return claimed_frames_; }

private:
  double seconds(uint64_t frame) const { return double(frame) / rate_hz_; }
  void average_channels(size_t n_frames);

  std::unique_ptr<SoundInput> input_;
  sf_private_tag *stream_ = nullptr;
  uint32_t rate_hz_ = 0, n_channels_ = 0;
  uint64_t claimed_frames_ = 0; // 0: unknown
  uint64_t n_frames_ = 0;       // read so far
  std::vector<float> interleaved_, mono_;
};

} // namespace fovea
