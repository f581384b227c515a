// Apart from audio_source.cpp, so that who transcribes samples alone links no library for sound files.
#include "tasks/transcribe.h"

#include <algorithm>

namespace fovea {
namespace {

class SampleSource final : public AudioSource {
public:
  SampleSource(std::span<const float> samples, std::string name) : all_(samples), name_(std::move(name)) {}
  void rewind() override { at_ = 0; }
  size_t read(std::span<float> samples) override {
    const auto rest = all_.subspan(at_);
    const size_t n = std::min(samples.size(), rest.size());
    std::copy_n(rest.begin(), n, samples.begin());
    at_ += n;
    return n;
  }
  std::string name() const override { return name_; }

private:
  std::span<const float> all_;
  std::string name_;
  size_t at_ = 0;
};

} // namespace

std::unique_ptr<AudioSource> AudioSource::of(std::span<const float> samples, std::string name) {
  return std::make_unique<SampleSource>(samples, std::move(name));
}

} // namespace fovea
