// A picture to draw into: coloured boxes with labels, and the colours of classes. A value.
#pragma once

#include <fovea/pixels.h>

#include <array>
#include <string_view>
#include <vector>

namespace tool {

using Colour = std::array<uint8_t, 3>;

/// Well apart for neighbouring numbers, the same for a number in every run.
Colour class_colour(uint32_t number);

class Picture {
public:
  Picture(uint32_t width, uint32_t height)
      : width_(width), height_(height), rgb_(size_t(width) * height * 3) {}
  /// A copy, as RGB.
  explicit Picture(const fovea_pixels &pixels);

  /// Outside the picture nothing happens.
  void set(int64_t x, int64_t y, const Colour &colour);
  void fill(int64_t left, int64_t top, int64_t right, int64_t bottom, const Colour &colour);
  /// The frame of a box, what lies outside the picture cut off, with `label` on a bar at its upper edge.
  void box(double left, double top, double right, double bottom, const Colour &colour,
           std::string_view label);
  fovea_pixels pixels() const { return {rgb_.data(), width_, height_, 3, 0}; }

private:
  void text(int64_t x, int64_t y, int64_t scale, std::string_view text, const Colour &colour);
  uint32_t width_, height_;
  std::vector<uint8_t> rgb_;
};

} // namespace tool
