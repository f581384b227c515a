#include "converter/sources/blocks.h"

#include "base/half.h"

#include <cstring>

namespace fovea {
namespace {

using Byte = uint8_t;

float half_at(const Byte *at) {
  uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return half_to_float(bits);
}

uint32_t word_at(const Byte *at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Blocks of 32: element j is in the low, element j + 16 in the high half of byte j.

void q4_0(const Byte *block, float *y) { // scale, 16 bytes
  const float d = half_at(block);
  for (int j = 0; j < 16; ++j) {
    y[j] = float((block[2 + j] & 15) - 8) * d;
    y[j + 16] = float((block[2 + j] >> 4) - 8) * d;
  }
}

void q4_1(const Byte *block, float *y) { // scale, minimum, 16 bytes
  const float d = half_at(block), m = half_at(block + 2);
  for (int j = 0; j < 16; ++j) {
    y[j] = float(block[4 + j] & 15) * d + m;
    y[j + 16] = float(block[4 + j] >> 4) * d + m;
  }
}

/// Element j of 32 with its fifth bit, which is bit j of `high`.
int five_bits(const Byte *low, uint32_t high, int j) {
  return (j < 16 ? low[j] & 15 : low[j - 16] >> 4) | int(high >> j & 1) << 4;
}

void q5_0(const Byte *block, float *y) { // scale, 32 fifth bits, 16 bytes
  const float d = half_at(block);
  const uint32_t high = word_at(block + 2);
  for (int j = 0; j < 32; ++j) y[j] = float(five_bits(block + 6, high, j) - 16) * d;
}

void q5_1(const Byte *block, float *y) { // scale, minimum, 32 fifth bits, 16 bytes
  const float d = half_at(block), m = half_at(block + 2);
  const uint32_t high = word_at(block + 4);
  for (int j = 0; j < 32; ++j) y[j] = float(five_bits(block + 8, high, j)) * d + m;
}

void q8_0(const Byte *block, float *y) { // scale, 32 signed bytes
  const float d = half_at(block);
  for (int j = 0; j < 32; ++j) y[j] = float(int8_t(block[2 + j])) * d;
}

// Superblocks of 256: eight groups of 32 with a scale and a minimum of six bits each.

struct ScaleMin {
  float scale, min;
};
/// Group g's, from the 12 bytes that pack eight of each.
ScaleMin scale_min(const Byte *packed, int g) {
  if (g < 4) return {float(packed[g] & 63), float(packed[g + 4] & 63)};
  return {float((packed[g + 4] & 15) | packed[g - 4] >> 6 << 4),
          float(packed[g + 4] >> 4 | packed[g] >> 6 << 4)};
}

/// Scale of scales, scale of minima, 12 bytes; `high` (of q5_k) has group g's fifth bits at bit g of 32
/// bytes.
void k4_or_k5(const Byte *block, const Byte *high, const Byte *low, float *y) {
  const float d = half_at(block), d_min = half_at(block + 2);
  for (int g = 0; g < 8; ++g) {
    const auto [scale, min] = scale_min(block + 4, g);
    const float group_scale = d * scale, group_min = d_min * min;
    for (int j = 0; j < 32; ++j) {
      const Byte pair = low[g / 2 * 32 + j];
      int q = g % 2 ? pair >> 4 : pair & 15;
      if (high) q |= (high[j] >> g & 1) << 4;
      y[g * 32 + j] = group_scale * float(q) - group_min;
    }
  }
}

void q4_k(const Byte *block, float *y) { k4_or_k5(block, nullptr, block + 16, y); }
void q5_k(const Byte *block, float *y) { k4_or_k5(block, block + 16, block + 48, y); }

void q6_k(const Byte *block, float *y) { // 128 bytes of low, 64 of high bits, 16 signed scales, their scale
  const float d = half_at(block + 208);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, quarter = i % 128 / 32, j = i % 32;
    const Byte pair = block[half * 64 + quarter % 2 * 32 + j];
    const int low = quarter < 2 ? pair & 15 : pair >> 4;
    const int high = block[128 + half * 32 + j] >> 2 * quarter & 3;
    y[i] = d * float(int8_t(block[192 + i / 16])) * float((low | high << 4) - 32);
  }
}

void (*decoder(SourceType type))(const Byte *, float *) {
  switch (type) {
  case SourceType::Q4_0: return q4_0;
  case SourceType::Q4_1: return q4_1;
  case SourceType::Q5_0: return q5_0;
  case SourceType::Q5_1: return q5_1;
  case SourceType::Q8_0: return q8_0;
  case SourceType::Q4_K: return q4_k;
  case SourceType::Q5_K: return q5_k;
  case SourceType::Q6_K: return q6_k;
  default: fail(ErrorCode::Internal, "decode_blocks: ", type, " is no block type");
  }
}

} // namespace

void decode_blocks(SourceType type, std::span<const std::byte> in, std::span<float> out) {
  const auto decode = decoder(type);
  const auto *block = reinterpret_cast<const Byte *>(in.data());
  const uint64_t elements = block_elements(type), bytes = block_bytes(type);
  for (uint64_t at = 0; at < out.size(); at += elements, block += bytes) decode(block, out.data() + at);
}

} // namespace fovea
