#include "text/byte_alphabet.h"

#include "text/utf8.h"

#include <array>

namespace fovea {
namespace {
constexpr char32_t kCodePoints = 0x144; // the largest code point of the alphabet is U+0143

constexpr bool is_own_code_point(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

constexpr std::array<char32_t, 256> make_code_points() {
  std::array<char32_t, 256> table{};
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) table[byte] = is_own_code_point(byte) ? char32_t(byte) : next++;
  return table;
}
constexpr std::array<char32_t, 256> kCodePointOfByte = make_code_points();
static_assert(kCodePointOfByte[' '] == 0x120 && kCodePointOfByte[173] + 1 == kCodePoints);

constexpr std::array<int16_t, kCodePoints> make_bytes() {
  std::array<int16_t, kCodePoints> table{};
  for (int16_t &byte : table) byte = -1;
  for (int byte = 0; byte < 256; ++byte) table[kCodePointOfByte[byte]] = int16_t(byte);
  return table;
}
constexpr std::array<int16_t, kCodePoints> kByteOfCodePoint = make_bytes();
} // namespace

std::string byte_to_alphabet(uint8_t byte) {
  std::string out;
  append_byte_alphabet(out, byte);
  return out;
}

void append_byte_alphabet(std::string &out, uint8_t byte) { utf8_append(out, kCodePointOfByte[byte]); }

std::optional<std::string> alphabet_to_bytes(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto [kind, length] = utf8_unit(text, at);
    if (kind != Utf8Unit::Valid || length > 2) return std::nullopt;
    char32_t c = uint8_t(text[at]);
    if (length == 2) c = (c & 0x1F) << 6 | (uint8_t(text[at + 1]) & 0x3F);
    if (c >= kCodePoints || kByteOfCodePoint[c] < 0) return std::nullopt;
    out += char(kByteOfCodePoint[c]);
    at += length;
  }
  return out;
}

} // namespace fovea
