// stb_image and stb_image_write (Sean Barrett; public domain), behind a limit of memory. Internal to image/.
// Thread-safe: the limit and the reason of a failure are the calling thread's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fovea::stb {

struct Free {
  void operator()(uint8_t *pixels) const;
};

struct Decoded {
  std::unique_ptr<uint8_t, Free> rgb; // null: `failure` says why
  uint32_t width = 0, height = 0;
  std::string failure;
  bool out_of_memory = false; // more than max_bytes were asked for
};

/// `file` holds at most INT_MAX bytes.
Decoded decode(std::span<const std::byte> file, uint64_t max_bytes);

/// A PNG file's bytes; nothing when memory ran out. Sides and their product must fit an int with room.
std::vector<std::byte> encode_png(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                                  uint64_t row_bytes);

} // namespace fovea::stb
