#include "converter/quantize/quantize.h"

#include "base/half.h"
#include "format/quantized.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <thread>

namespace fovea {
namespace {

using EncodeRow = void (*)(std::span<const float>, std::byte *, std::byte *);

EncodeRow row_encoder(Encoding encoding) {
  static constexpr EncodeRow rows[] = {encode_row_f32, encode_row_f16, encode_row_i32, encode_row_q8,
                                       encode_row_q4};
  return rows[size_t(encoding)];
}

struct Job {
  Encoding encoding;
  std::span<const float> rows;
  uint64_t row_length, first_row;
  std::string_view tensor;
};

/// Encodes rows begin … end - 1 and measures what they decode to.
void encode_range(const Job &job, uint64_t begin, uint64_t end, EncodedRows &out, EncodingError &error) {
  const Shape row{job.row_length};
  const uint64_t code_bytes = plane_bytes(row, job.encoding), n_scale = scale_bytes(row, job.encoding);
  std::vector<float> decoded(job.row_length);
  for (uint64_t r = begin; r < end; ++r) {
    const auto original = job.rows.subspan(r * job.row_length, job.row_length);
    const auto codes = std::span(out.codes).subspan(r * code_bytes, code_bytes);
    const auto scales = std::span(out.scales).subspan(r * n_scale, n_scale);
    row_encoder(job.encoding)(original, codes.data(), scales.data());
    decode_row(job.encoding, codes, scales, decoded);
    for (uint64_t k = 0; k < job.row_length; ++k) {
      const bool fits = job.encoding == Encoding::I32 ? original[k] == decoded[k] : std::isfinite(decoded[k]);
      if (!std::isfinite(original[k]) || !fits)
        fail(ErrorCode::InvalidArgument, "tensor '", job.tensor, "': element [", job.first_row + r, ", ", k,
             "] is ", original[k], ", which ", job.encoding, " cannot hold",
             std::isfinite(original[k]) && job.encoding != Encoding::I32 ? "; convert with --encoding f32"
                                                                         : "");
      error.add(original[k], decoded[k]);
    }
  }
}

} // namespace

void EncodingError::add(float original, float decoded) {
  const double e = double(decoded) - double(original);
  max_abs = std::max(max_abs, std::abs(e));
  sum_squares += double(original) * double(original);
  sum_square_errors += e * e;
}

void EncodingError::add(const EncodingError &other) {
  max_abs = std::max(max_abs, other.max_abs);
  sum_squares += other.sum_squares;
  sum_square_errors += other.sum_square_errors;
}

double EncodingError::relative_rms() const {
  return sum_squares > 0 ? std::sqrt(sum_square_errors / sum_squares) : 0;
}

uint16_t encode_scale(float scale) {
  constexpr float kSmallest = 0x1p-14f;
  if (scale == 0) return 0;
  return float_to_half(std::copysign(std::max(std::abs(scale), kSmallest), scale));
}

EncodedRows encode(Encoding encoding, std::span<const float> rows, uint64_t row_length,
                   std::string_view tensor, EncodingError &error, uint64_t first_row, unsigned n_threads) {
  const uint64_t n_rows = row_length == 0 ? 0 : rows.size() / row_length;
  const Shape shape{n_rows, row_length};
  EncodedRows out;
  out.codes.resize(plane_bytes(shape, encoding));
  out.scales.resize(scale_bytes(shape, encoding));
  const Job job{encoding, rows, row_length, first_row, tensor};

  constexpr uint64_t kElementsWorthAThread = 1 << 16;
  if (n_threads == 0) n_threads = std::max(1u, std::thread::hardware_concurrency());
  const uint64_t n_parts = std::clamp<uint64_t>(rows.size() / kElementsWorthAThread, 1,
                                                std::min<uint64_t>(n_threads, std::max<uint64_t>(n_rows, 1)));
  std::vector<EncodingError> errors(n_parts);
  std::vector<std::exception_ptr> faults(n_parts);
  const auto part = [&](uint64_t i) {
    try {
      encode_range(job, n_rows * i / n_parts, n_rows * (i + 1) / n_parts, out, errors[i]);
    } catch (...) {
      faults[i] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (uint64_t i = 1; i < n_parts; ++i) threads.emplace_back(part, i);
    part(0);
  }
  for (const std::exception_ptr &fault : faults)
    if (fault) std::rethrow_exception(fault);
  for (const EncodingError &e : errors) error.add(e);
  return out;
}

} // namespace fovea
