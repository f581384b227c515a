// The encodings of weights: where each element's bits are, and decoders to float.
//
// Pure functions. This is the definition that quantizers, shaders and docs/format.md follow:
//   q8: element k of a row is the signed byte k % 4 (least significant first) of word k / 4; value = s[k /
//   32] * byte. q4: element k is the nibble k % 8 (least significant first) of word k / 8; value = s[k / 32]
//   * (nibble - 8).
// s is a row's F16 scales, one for 32 elements: zero or a normal number (a GPU may flush subnormals to zero),
// of either sign for q4. Words are little-endian: a q8 row is its signed bytes in order, a q4 row two
// elements a byte, low first.
#pragma once

#include "base/tensor_type.h"

namespace fovea {

/// Decodes one row of out.size() elements. codes: the row in the first plane; scales: its F16 scales (empty
/// for plain encodings). Sizes must fit, else Error Internal. i32 is converted to float.
void decode_row(Encoding encoding, std::span<const std::byte> codes, std::span<const std::byte> scales,
                std::span<float> out);

} // namespace fovea
