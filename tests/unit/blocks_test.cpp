// llama.cpp's block types: blocks packed here from known codes and scales, after ggml-common.h's layouts.
#include "base/half.h"
#include "converter/sources/blocks.h"
#include "tests/support/source_files.h"

#include <doctest/doctest.h>
#include <random>

using namespace fovea;
using namespace fovea::test;

namespace {

struct Block {
  std::string bytes;
  std::vector<float> values;
};

/// Scales that are no round numbers, as f16 holds them.
struct Scales {
  std::mt19937 random{3};
  float next(std::string &bytes) {
    const uint16_t half = float_to_half((float(random() % 2000) - 1000.f) * 0.0137f);
    bytes += raw(half);
    return half_to_float(half);
  }
  int below(int n) { return int(random() % unsigned(n)); }
};

/// 32 codes of `bits` with one scale: value = scale × (code - bias), or scale × code + minimum.
Block small_block(Scales &s, int bits, bool with_min) {
  Block out;
  const float scale = s.next(out.bytes), min = with_min ? s.next(out.bytes) : 0;
  uint32_t high = 0;
  std::string low(16, '\0');
  for (int j = 0; j < 32; ++j) {
    const int code = s.below(1 << bits);
    low[size_t(j % 16)] = char(low[size_t(j % 16)] | (code & 15) << (j < 16 ? 0 : 4));
    high |= uint32_t(code >> 4) << j;
    out.values.push_back(with_min ? float(code) * scale + min : float(code - (1 << (bits - 1))) * scale);
  }
  out.bytes += (bits == 5 ? raw(high) : "") + low;
  return out;
}

Block q8_0_block(Scales &s) {
  Block out;
  const float scale = s.next(out.bytes);
  for (int j = 0; j < 32; ++j) {
    const int code = s.below(256) - 128;
    out.bytes += char(code);
    out.values.push_back(float(code) * scale);
  }
  return out;
}

/// 256 codes of 4 or 5 bits, a scale and a minimum of 6 bits for each 32.
Block k_block(Scales &s, int bits) {
  Block out;
  const float d = s.next(out.bytes), d_min = s.next(out.bytes);
  std::array<int, 8> scale{}, min{};
  std::string packed(12, '\0'), high(32, '\0'), low(128, '\0');
  for (size_t g = 0; g < 8; ++g) {
    scale[g] = s.below(64);
    min[g] = s.below(64);
    if (g < 4) {
      packed[g] = char(packed[g] | scale[g]);
      packed[g + 4] = char(packed[g + 4] | min[g]);
    } else {
      packed[g + 4] = char((scale[g] & 15) | (min[g] & 15) << 4);
      packed[g - 4] = char(packed[g - 4] | (scale[g] >> 4) << 6);
      packed[g] = char(packed[g] | (min[g] >> 4) << 6);
    }
  }
  for (int i = 0; i < 256; ++i) {
    const size_t group = size_t(i / 32), lane = size_t(i % 32);
    const int code = s.below(1 << bits);
    char &pair = low[group / 2 * 32 + lane];
    pair = char(pair | (code & 15) << (group % 2 ? 4 : 0));
    high[lane] = char(high[lane] | (code >> 4) << group);
    out.values.push_back(d * float(scale[group]) * float(code) - d_min * float(min[group]));
  }
  out.bytes += packed + (bits == 5 ? high : "") + low;
  return out;
}

/// 256 codes of 6 bits (less 32), a signed scale of 8 bits for each 16.
Block q6_block(Scales &s) {
  Block out;
  std::string low(128, '\0'), high(64, '\0'), scales, end;
  std::vector<int> codes;
  for (int i = 0; i < 256; ++i) {
    const int code = s.below(64), half = i / 128, quarter = i % 128 / 32, lane = i % 32;
    char &l = low[size_t(half * 64 + quarter % 2 * 32 + lane)], &h = high[size_t(half * 32 + lane)];
    l = char(l | (code & 15) << (quarter < 2 ? 0 : 4));
    h = char(h | (code >> 4) << 2 * quarter);
    codes.push_back(code - 32);
  }
  for (int g = 0; g < 16; ++g) scales += char(s.below(256) - 128);
  const float d = s.next(end);
  for (size_t i = 0; i < 256; ++i)
    out.values.push_back(d * float(static_cast<signed char>(scales[i / 16])) * float(codes[i]));
  out.bytes = low + high + scales + end;
  return out;
}

} // namespace

TEST_CASE("blocks: codes and scales packed by hand are decoded exactly") {
  Scales s;
  const auto check = [&](SourceType type, auto make) {
    CAPTURE(to_string(type));
    Block all;
    for (int i = 0; i < 50; ++i) {
      const Block block = make();
      CHECK(block.bytes.size() == block_bytes(type));
      CHECK(block.values.size() == block_elements(type));
      all.bytes += block.bytes;
      all.values.insert(all.values.end(), block.values.begin(), block.values.end());
    }
    std::vector<float> out(all.values.size());
    decode_blocks(type, std::as_bytes(std::span(all.bytes.data(), all.bytes.size())), out);
    CHECK(out == all.values);
  };
  check(SourceType::Q4_0, [&] { return small_block(s, 4, false); });
  check(SourceType::Q4_1, [&] { return small_block(s, 4, true); });
  check(SourceType::Q5_0, [&] { return small_block(s, 5, false); });
  check(SourceType::Q5_1, [&] { return small_block(s, 5, true); });
  check(SourceType::Q8_0, [&] { return q8_0_block(s); });
  check(SourceType::Q4_K, [&] { return k_block(s, 4); });
  check(SourceType::Q5_K, [&] { return k_block(s, 5); });
  check(SourceType::Q6_K, [&] { return q6_block(s); });
  CHECK_THROWS_AS(decode_blocks(SourceType::F32, {}, {}), Error);
}
