// Resampler: mono float32 from one rate to another, block by block, by libsoxr's high-quality recipe (the one
// that Python's librosa uses by default). Output starts with the input's first sample: the filter's delay is
// taken out. One thread at a time. Throws Error OutOfMemory or Internal. Internal to audio/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct soxr;

namespace fovea {

class Resampler {
public:
  Resampler(uint32_t from_hz, uint32_t to_hz);

  /// Takes samples off the front of `input`, writes to `output`, returns how many. `input` empty means the
  /// end: call until it returns 0.
  size_t process(std::span<const float> &input, std::span<float> output);

private:
  struct Delete {
    void operator()(soxr *p) const;
  };
  std::unique_ptr<soxr, Delete> soxr_;
};

} // namespace fovea
