#include "picture.h"

#include <algorithm>
#include <cmath>

namespace tool {
namespace {

// Letters of 3 x 5 dots, row by row from the top.
constexpr int kGlyphWidth = 3, kGlyphHeight = 5;
struct Glyph {
  char letter;
  const char *dots;
};
constexpr Glyph kGlyphs[] = {
    {'A', "010101111101101"}, {'B', "110101110101110"}, {'C', "011100100100011"}, {'D', "110101101101110"},
    {'E', "111100110100111"}, {'F', "111100110100100"}, {'G', "011100101101011"}, {'H', "101101111101101"},
    {'I', "111010010010111"}, {'J', "001001001101010"}, {'K', "101101110101101"}, {'L', "100100100100111"},
    {'M', "101111111101101"}, {'N', "110101101101101"}, {'O', "010101101101010"}, {'P', "110101110100100"},
    {'Q', "010101101111011"}, {'R', "110101110101101"}, {'S', "011100010001110"}, {'T', "111010010010010"},
    {'U', "101101101101111"}, {'V', "101101101101010"}, {'W', "101101111111101"}, {'X', "101101010101101"},
    {'Y', "101101010010010"}, {'Z', "111001010100111"}, {'0', "111101101101111"}, {'1', "010110010010111"},
    {'2', "110001010100111"}, {'3', "110001010001110"}, {'4', "101101111001001"}, {'5', "111100110001110"},
    {'6', "011100111101111"}, {'7', "111001010010010"}, {'8', "111101111101111"}, {'9', "111101111001110"},
    {'.', "000000000000010"}, {',', "000000000010100"}, {'-', "000000111000000"}, {'_', "000000000000111"},
    {':', "000010000010000"}, {'/', "001001010100100"}, {'%', "101001010100101"}, {' ', "000000000000000"}};
constexpr const char *kUnknown = "110001010000010"; // a question mark

const char *dots_of(char c) {
  const char upper = c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
  const auto *found =
      std::find_if(std::begin(kGlyphs), std::end(kGlyphs), [&](const Glyph &g) { return g.letter == upper; });
  return found == std::end(kGlyphs) ? kUnknown : found->dots;
}

int64_t pixel(double v, double most) { return std::lround(std::clamp(v, 0.0, most)); }

} // namespace

Colour class_colour(uint32_t number) {
  // Hues a golden section apart; the lightness changes so that a turn of the circle does not repeat itself.
  const double hue = std::fmod(0.61803398875 * (double(number) + 1), 1.0) * 6;
  const double high = number % 3 == 2 ? 170 : 235, low = number % 3 == 1 ? 90 : 40;
  const double x = low + (high - low) * (1 - std::fabs(std::fmod(hue, 2.0) - 1));
  const auto h = uint8_t(high), l = uint8_t(low), m = uint8_t(x);
  switch (int(hue)) {
  case 0: return {h, m, l};
  case 1: return {m, h, l};
  case 2: return {l, h, m};
  case 3: return {l, m, h};
  case 4: return {m, l, h};
  default: return {h, l, m};
  }
}

Picture::Picture(const fovea_pixels &p) : Picture(p.width, p.height) {
  const uint64_t row_bytes = p.row_bytes ? p.row_bytes : uint64_t(p.width) * p.channels;
  for (uint32_t y = 0; y < height_; ++y)
    for (uint32_t x = 0; x < width_; ++x) {
      const uint8_t *from = p.data + y * row_bytes + uint64_t(x) * p.channels;
      for (uint32_t c = 0; c < 3; ++c) rgb_[(size_t(y) * width_ + x) * 3 + c] = from[p.channels >= 3 ? c : 0];
    }
}

void Picture::set(int64_t x, int64_t y, const Colour &colour) {
  if (x < 0 || y < 0 || x >= int64_t(width_) || y >= int64_t(height_)) return;
  std::copy(colour.begin(), colour.end(), &rgb_[(size_t(y) * width_ + size_t(x)) * 3]);
}

void Picture::fill(int64_t left, int64_t top, int64_t right, int64_t bottom, const Colour &colour) {
  for (int64_t y = std::max<int64_t>(top, 0); y < std::min<int64_t>(bottom, height_); ++y)
    for (int64_t x = std::max<int64_t>(left, 0); x < std::min<int64_t>(right, width_); ++x) set(x, y, colour);
}

void Picture::text(int64_t x, int64_t y, int64_t scale, std::string_view text, const Colour &colour) {
  for (const char c : text) {
    const char *dots = dots_of(c);
    for (int i = 0; i < kGlyphWidth * kGlyphHeight; ++i) {
      const int64_t left = x + i % kGlyphWidth * scale, top = y + i / kGlyphWidth * scale;
      if (dots[i] == '1') fill(left, top, left + scale, top + scale, colour);
    }
    x += (kGlyphWidth + 1) * scale;
  }
}

void Picture::box(double left, double top, double right, double bottom, const Colour &colour,
                  std::string_view label) {
  const int64_t l = pixel(left, width_), t = pixel(top, height_), r = pixel(right, width_),
                b = pixel(bottom, height_);
  const int64_t thick = std::max<int64_t>(1, std::min(width_, height_) / 250);
  fill(l, t, r, t + thick, colour);
  fill(l, b - thick, r, b, colour);
  fill(l, t, l + thick, b, colour);
  fill(r - thick, t, r, b, colour);

  const int64_t scale = std::max<int64_t>(2, std::min(width_, height_) / 250);
  const int64_t high = (kGlyphHeight + 2) * scale;
  const int64_t wide = (int64_t(label.size()) * (kGlyphWidth + 1) + 1) * scale;
  const int64_t at = std::max<int64_t>(0, t - high); // above the box where there is room
  fill(l, at, l + wide, at + high, colour);
  const bool light = 299 * colour[0] + 587 * colour[1] + 114 * colour[2] > 128000;
  text(l + scale, at + scale, scale, label, light ? Colour{0, 0, 0} : Colour{255, 255, 255});
}

} // namespace tool
