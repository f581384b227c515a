// Quantizers: rows of floats → planes of a flat file's encoding, and how much was lost.
//
// Pure; encode() spreads rows over all cores. Errors name the tensor and the element. The bit layout and the
// rule for scales are format/quantized.h's. An encoding is one file here (its row function) and one row in
// quantize.cpp's table.
#pragma once

#include "base/tensor_type.h"

#include <vector>

namespace fovea {

/// Accumulates over rows and pieces of one tensor.
struct EncodingError {
  double max_abs = 0;     // largest |decoded - original|
  double sum_squares = 0; // of the originals
  double sum_square_errors = 0;
  void add(float original, float decoded);
  void add(const EncodingError &other);
  /// Root of the error's energy over the original's; 0 for an all-zero tensor.
  double relative_rms() const;
};

struct EncodedRows {
  std::vector<std::byte> codes, scales; // the rows' first plane, and scale plane (empty for plain encodings)
};

/// Encodes rows.size() / row_length rows. `first_row` numbers them in errors. Error InvalidArgument: a value
/// that the encoding cannot hold (not finite, or beyond F16). `n_threads` 0: one for each core.
EncodedRows encode(Encoding encoding, std::span<const float> rows, uint64_t row_length,
                   std::string_view tensor, EncodingError &error, uint64_t first_row = 0,
                   unsigned n_threads = 0);

// One row each. `codes` and `scales` have the row's sizes. What does not fit decodes to something not finite.
void encode_row_f32(std::span<const float> row, std::byte *codes, std::byte *scales);
void encode_row_f16(std::span<const float> row, std::byte *codes, std::byte *scales);
void encode_row_i32(std::span<const float> row, std::byte *codes, std::byte *scales);
void encode_row_q8(std::span<const float> row, std::byte *codes, std::byte *scales);
void encode_row_q4(std::span<const float> row, std::byte *codes, std::byte *scales);

/// The F16 scale nearest to `scale`, never a subnormal number (a GPU may take it for zero): zero stays zero,
/// smaller magnitudes than 2^-14 become 2^-14.
uint16_t encode_scale(float scale);

} // namespace fovea
