// Sound files for C++: RAII over audio.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/audio.h>
#include <fovea/transcribe.hpp>

namespace fovea {
inline namespace client {

/// A whole recording in memory.
class Audio {
public:
  static Result<Audio> read(const std::string &path, uint32_t rate_hz = 16000, double max_duration_s = 0) {
    fovea_audio *handle = nullptr;
    const fovea_status status = fovea_audio_read(path.c_str(), rate_hz, max_duration_s, &handle);
    return status == FOVEA_OK ? Result<Audio>(Audio(handle)) : Result<Audio>(status);
  }
  const float *samples() const { return fovea_audio_samples(handle_.get()); }
  size_t size() const { return fovea_audio_sample_count(handle_.get()); }
  double duration_s() const { return fovea_audio_duration_s(handle_.get()); }

private:
  explicit Audio(fovea_audio *handle) : handle_(handle) {}
  detail::Handle<fovea_audio, fovea_audio_release> handle_;
};

/// A recording read piece by piece.
class AudioReader {
public:
  static Result<AudioReader> open(const std::string &path, uint32_t rate_hz = 16000) {
    fovea_audio_reader *handle = nullptr;
    const fovea_status status = fovea_audio_reader_open(path.c_str(), rate_hz, &handle);
    return status == FOVEA_OK ? Result<AudioReader>(AudioReader(handle)) : Result<AudioReader>(status);
  }
  Result<size_t> read(float *samples, size_t capacity) {
    size_t n_read = 0;
    const fovea_status status = fovea_audio_reader_read(handle_.get(), samples, capacity, &n_read);
    return status == FOVEA_OK ? Result<size_t>(n_read) : Result<size_t>(status);
  }
  Result<void> rewind() { return Result<void>(fovea_audio_reader_rewind(handle_.get())); }
  /// For Transcriber::transcribe(); this must outlive it.
  fovea_audio_source source() { return fovea_audio_reader_source(handle_.get()); }

private:
  explicit AudioReader(fovea_audio_reader *handle) : handle_(handle) {}
  detail::Handle<fovea_audio_reader, fovea_audio_reader_release> handle_;
};

} // namespace client
} // namespace fovea
