#include "audio/resampler.h"

#include "base/error.h"

#include <soxr.h>

namespace fovea {

Resampler::Resampler(uint32_t from_hz, uint32_t to_hz) {
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
  soxr_error_t error = nullptr;
  soxr_.reset(soxr_create(from_hz, to_hz, 1, &error, &io, &quality, &one_thread));
  if (!soxr_ || error)
    fail(ErrorCode::OutOfMemory, "cannot resample from ", from_hz, " to ", to_hz,
         " Hz: ", error ? error : "no memory");
}

void Resampler::Delete::operator()(soxr *p) const { soxr_delete(p); }

size_t Resampler::process(std::span<const float> &input, std::span<float> output) {
  size_t n_taken = 0, n_made = 0;
  const soxr_error_t error = soxr_process(soxr_.get(), input.empty() ? nullptr : input.data(), input.size(),
                                          &n_taken, output.data(), output.size(), &n_made);
  if (error) fail(ErrorCode::Internal, "resampling failed: ", error);
  input = input.subspan(n_taken);
  return n_made;
}

} // namespace fovea
