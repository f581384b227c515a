// What an image file says about itself before any pixel is decoded: enough to refuse what lies or what would
// be decoded wrongly. Internal to image/. Pure; thread-safe. Throws the Errors that image.h lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace fovea {

enum class ImageFormat { Jpeg, Png, Gif, Bmp, Pnm };
const char *to_string(ImageFormat format);

struct ImageHeader {
  ImageFormat format = ImageFormat::Jpeg;
  uint64_t width = 0, height = 0;
  /// Fewest bytes that a file of this format and size can have.
  uint64_t least_bytes = 0;
  /// Where a GIF's first frame has the flags that name a transparent colour; 0: nowhere.
  size_t transparency_at = 0;
};

/// Error InvalidFile when it is none of the formats, or its header ends early; Unsupported.
ImageHeader read_image_header(std::span<const std::byte> file, const std::string &name);

} // namespace fovea
