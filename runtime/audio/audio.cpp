#include "audio/audio.h"

#include "audio/resampler.h"
#include "audio/sound_file.h"
#include "base/error.h"

#include <algorithm>
#include <optional>

namespace fovea {
namespace {
constexpr size_t kReadBlock = 65536;

Audio read_all(AudioReader reader, const std::string &name, double max_duration_s) {
  Audio audio{{}, reader.rate_hz()};
  for (size_t n = kReadBlock; n == kReadBlock;) {
    const size_t n_before = audio.samples.size();
    audio.samples.resize(n_before + kReadBlock);
    n = reader.read(std::span(audio.samples).subspan(n_before));
    audio.samples.resize(n_before + n);
    if (audio.duration_s() > max_duration_s)
      fail(ErrorCode::InvalidFile, name, ": longer than ", max_duration_s, " s; split it");
  }
  return audio;
}
} // namespace

struct AudioReader::State {
  State(std::unique_ptr<SoundInput> input, uint32_t wanted_hz) : file(std::move(input)), rate_hz(wanted_hz) {
    if (rate_hz < kMinRateHz || rate_hz > kMaxRateHz)
      fail(ErrorCode::InvalidArgument, "sample rate of ", rate_hz, " Hz asked for, expected ", kMinRateHz,
           " to ", kMaxRateHz);
    if (rate_hz != file.rate_hz()) resampler.emplace(file.rate_hz(), rate_hz);
  }
  SoundFile file;
  uint32_t rate_hz;
  std::optional<Resampler> resampler;
  std::span<const float> block; // what is left of the file's current one
  bool at_end = false;          // of the file
};

AudioReader::AudioReader(const std::string &path, uint32_t rate_hz)
    : state_(std::make_unique<State>(std::make_unique<SoundInput>(path), rate_hz)) {}
AudioReader::AudioReader(std::span<const std::byte> file, std::string name, uint32_t rate_hz)
    : state_(std::make_unique<State>(std::make_unique<SoundInput>(file, std::move(name)), rate_hz)) {}
AudioReader::~AudioReader() = default;
AudioReader::AudioReader(AudioReader &&) noexcept = default;
AudioReader &AudioReader::operator=(AudioReader &&) noexcept = default;

size_t AudioReader::read(std::span<float> samples) {
  State &s = *state_;
  size_t n_filled = 0;
  while (n_filled < samples.size()) {
    if (s.block.empty() && !s.at_end) {
      s.block = s.file.read_block();
      s.at_end = s.block.empty();
    }
    const std::span<float> rest = samples.subspan(n_filled);
    size_t n = 0;
    if (s.resampler) {
      n = s.resampler->process(s.block, rest);
    } else {
      n = std::min(rest.size(), s.block.size());
      std::copy_n(s.block.begin(), n, rest.begin());
      s.block = s.block.subspan(n);
    }
    n_filled += n;
    if (n == 0 && s.at_end) break;
  }
  return n_filled;
}

uint32_t AudioReader::rate_hz() const { return state_->rate_hz; }
uint32_t AudioReader::source_rate_hz() const { return state_->file.rate_hz(); }
uint32_t AudioReader::source_channels() const { return state_->file.channels(); }
double AudioReader::claimed_duration_s() const {
  return double(state_->file.claimed_frames()) / state_->file.rate_hz();
}

Audio read_audio(const std::string &path, uint32_t rate_hz, double max_duration_s) {
  return read_all(AudioReader(path, rate_hz), path == "-" ? "standard input" : path, max_duration_s);
}

Audio read_audio(std::span<const std::byte> file, std::string name, uint32_t rate_hz, double max_duration_s) {
  return read_all(AudioReader(file, name, rate_hz), name, max_duration_s);
}

} // namespace fovea
