#include "tasks/recording.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

constexpr size_t kBlockSamples = 65536;

} // namespace

Recording::Recording(AudioSource &source, const WindowSizes &sizes)
    : source_(source), sizes_(sizes),
      window_(size_t(sizes.context_before) + sizes.window_samples + sizes.context_after) {
  source_.rewind();
}

void Recording::read_up_to(uint64_t end) {
  while (!ended_ && n_samples() < end) {
    const size_t before = samples_.size();
    samples_.resize(before + kBlockSamples);
    const size_t n = std::min(source_.read(std::span(samples_).subspan(before)), kBlockSamples);
    samples_.resize(before + n);
    ended_ = n < kBlockSamples;
    for (size_t i = before; i < samples_.size(); ++i)
      if (!std::isfinite(samples_[i]))
        fail(ErrorCode::InvalidArgument, source_.name(), ": sample ", begin_ + i, " (at ",
             double(begin_ + i) / sizes_.sample_rate_hz, " s) is ", samples_[i],
             ", not a number that sound can have");
  }
}

float Recording::at(int64_t sample) const {
  // The mirror of a recording shorter than the context passes its end.
  const auto i = uint64_t(sample < 0 ? -sample : sample);
  return i >= begin_ && i - begin_ < samples_.size() ? samples_[i - begin_] : 0.0f;
}

std::span<const float> Recording::window(uint64_t start) {
  const uint64_t keep = start - std::min<uint64_t>(start, sizes_.context_before);
  if (start >= sizes_.context_before) { // nothing is mirrored any more
    read_up_to(keep);
    const size_t n = std::min<size_t>(keep > begin_ ? keep - begin_ : 0, samples_.size());
    samples_.erase(samples_.begin(), samples_.begin() + std::ptrdiff_t(n));
    begin_ += n;
  }
  read_up_to(start + sizes_.window_samples + sizes_.context_after);
  const int64_t first = int64_t(start) - int64_t(sizes_.context_before);
  for (size_t i = 0; i < window_.size(); ++i) window_[i] = at(first + int64_t(i));
  return window_;
}

} // namespace fovea
