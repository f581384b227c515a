// The picture that tests/models/make_vision.py gave to the reference implementation: a formula with edges and
// slopes in every channel.
#pragma once

#include <cstdint>
#include <vector>

namespace fovea::test {

/// [height, width, 3]
inline std::vector<uint8_t> formula_picture(uint32_t width, uint32_t height) {
  std::vector<uint8_t> out;
  for (uint32_t y = 0; y < height; ++y)
    for (uint32_t x = 0; x < width; ++x)
      for (uint32_t c = 0; c < 3; ++c)
        out.push_back(uint8_t((x * 7 + y * 3 + c * 50 + x * y * 13 % 101) % 256));
  return out;
}

} // namespace fovea::test
