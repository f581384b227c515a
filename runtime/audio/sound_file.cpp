#include "audio/sound_file.h"

#include "base/error.h"

#include <cmath>
#include <cstdio>
#include <sndfile.h>

namespace fovea {
namespace {
constexpr size_t kBlockSamples = 65536; // over all channels: 256 KiB
constexpr int kMaxChannels = 256;
constexpr float kMaxMagnitude = 1e30f; // more would overflow in the resampler

std::string fixed(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

/// libsndfile's text without its newlines, full stop and "Error : ": Errors are one line.
std::string reason(const char *text) {
  std::string line = text ? text : "unknown error";
  for (char &c : line)
    if (c == '\n' || c == '\r') c = ' ';
  if (line.starts_with("Error : ")) line.erase(0, 8);
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  return line;
}
} // namespace

SoundFile::SoundFile(std::unique_ptr<SoundInput> input) : input_(std::move(input)) {
  SF_INFO info{};
  stream_ = input_->open(info);
  if (!stream_)
    fail(ErrorCode::InvalidFile, input_->name(),
         ": cannot be read as audio (WAV, FLAC, OGG, MP3 …): ", reason(sf_strerror(nullptr)));
  try {
    if (info.channels < 1 || info.channels > kMaxChannels)
      fail(ErrorCode::InvalidFile, input_->name(), ": ", info.channels, " channels, expected 1 to ",
           kMaxChannels);
    if (info.samplerate < int(kMinRateHz) || info.samplerate > int(kMaxRateHz))
      fail(ErrorCode::InvalidFile, input_->name(), ": sample rate of ", info.samplerate, " Hz, expected ",
           kMinRateHz, " to ", kMaxRateHz);
    rate_hz_ = uint32_t(info.samplerate);
    n_channels_ = uint32_t(info.channels);
    if (info.frames > 0 && info.frames < SF_COUNT_MAX) claimed_frames_ = uint64_t(info.frames);
    const size_t block_frames = kBlockSamples / n_channels_;
    interleaved_.resize(block_frames * n_channels_);
    mono_.resize(block_frames);
  } catch (...) {
    sf_close(stream_);
    throw;
  }
}

SoundFile::~SoundFile() { sf_close(stream_); }

std::span<const float> SoundFile::read_block() {
  const sf_count_t n = sf_readf_float(stream_, interleaved_.data(), sf_count_t(mono_.size()));
  if (n < sf_count_t(mono_.size()) && sf_error(stream_) != SF_ERR_NO_ERROR)
    fail(ErrorCode::InvalidFile, input_->name(), ": broken after ", fixed(seconds(n_frames_ + uint64_t(n))),
         " s: ", reason(sf_strerror(stream_)));
  if (n <= 0 && n_frames_ == 0) fail(ErrorCode::InvalidFile, input_->name(), ": holds no samples");
  if (const uint64_t n_missing = n <= 0 ? input_->n_missing_bytes() : 0)
    fail(ErrorCode::InvalidFile, input_->name(), ": broken after ", fixed(seconds(n_frames_)),
         " s: the file ends ", n_missing, " bytes before its header says");
  if (n <= 0) return {};
  average_channels(size_t(n));
  n_frames_ += uint64_t(n);
  return std::span(mono_).first(size_t(n));
}

void SoundFile::average_channels(size_t n_frames) {
  for (size_t i = 0; i < n_frames; ++i) {
    double sum = 0;
    for (uint32_t c = 0; c < n_channels_; ++c) {
      const float sample = interleaved_[i * n_channels_ + c];
      if (!(std::abs(sample) <= kMaxMagnitude)) // NaN too
        fail(ErrorCode::InvalidFile, input_->name(), ": the sample at ", fixed(seconds(n_frames_ + i)),
             " s (frame ", n_frames_ + i, ", channel ", c + 1, ") is ",
             std::isnan(sample)   ? "not a number"
             : std::isinf(sample) ? "infinite"
                                  : "beyond 1e30");
      sum += double(sample);
    }
    mono_[i] = float(sum / n_channels_);
  }
}

} // namespace fovea
