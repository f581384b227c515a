// Audio: sound from a file, standard input or memory as what models take: mono float32 at a wanted rate.
//
// Whatever libsndfile reads (WAV, FLAC, OGG Vorbis and Opus, MP3, AIFF, CAF …); channels are averaged, other
// rates are resampled by libsoxr (high quality, no delay). Samples outside [-1, 1] of floating-point files
// are kept.
//
// An AudioReader owns the open file. Thread-safety: one thread at a time. Throws Error, one line that names
// the file: NotFound; Io; InvalidFile (a directory, an empty file, not audio, no samples, broken data, a
// channel count of 0 or over 256, a rate outside 1000 … 1,000,000 Hz, a sample that is NaN, infinite or
// beyond 1e30: named by its time).
//
// Headers are not believed: nothing is sized by the number of frames they claim; memory is a few blocks of
// 256 KiB. An OGG or MP3 file that was cut short gives what there is, a WAV or FLAC file an Error at the cut;
// but a WAV whose size was not known when its header was written (a stream), or that comes from standard
// input or a pipe, ends where it ends. libmpg123, inside libsndfile, writes remarks on damaged MP3 files to
// stderr and cannot be silenced from here.
//
// Rejected: ffmpeg (a hundred times the code, for containers that users can convert), our own decoders or
// resampler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fovea {

inline constexpr uint32_t kSpeechRateHz = 16000;

class AudioReader {
public:
  /// Opens `path`, or standard input for "-". What cannot be sought (a pipe) is read into memory first, still
  /// encoded and at most 2 GiB. `rate_hz` (1000 … 1,000,000) is the rate of the samples that read() gives.
  explicit AudioReader(const std::string &path, uint32_t rate_hz = kSpeechRateHz);
  /// Reads an encoded file in memory; `file` must outlive the reader. `name` is what Errors call it.
  AudioReader(std::span<const std::byte> file, std::string name, uint32_t rate_hz = kSpeechRateHz);
  ~AudioReader();
  AudioReader(AudioReader &&) noexcept;
  AudioReader &operator=(AudioReader &&) noexcept;

  /// Fills `samples` with the next ones and returns how many; fewer than asked only at the end, then 0.
  size_t read(std::span<float> samples);

  uint32_t rate_hz() const;        // of what read() gives
  uint32_t source_rate_hz() const; // as stored
  uint32_t source_channels() const;
  /// As the header claims: good for a progress bar, for nothing else. 0 where it does not say.
  double claimed_duration_s() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Audio {
  std::vector<float> samples; // mono
  uint32_t rate_hz = kSpeechRateHz;
  double duration_s() const { return double(samples.size()) / rate_hz; }
};

/// All of it. More than `max_duration_s` of sound is an Error, so that a small file of long silence cannot
/// take all memory; read such a file in blocks.
Audio read_audio(const std::string &path, uint32_t rate_hz = kSpeechRateHz,
                 double max_duration_s = 24 * 3600.0);
Audio read_audio(std::span<const std::byte> file, std::string name, uint32_t rate_hz = kSpeechRateHz,
                 double max_duration_s = 24 * 3600.0);

} // namespace fovea
