// Images: photographs from a file or memory as 8-bit RGB pixels, and PNG files from pixels.
//
// JPEG, PNG, GIF (the first frame of an animation), BMP and binary PPM/PGM, decoded by stb_image and turned
// into RGB as Pillow's convert("RGB") does: grey becomes three equal channels, palettes are looked up, alpha
// is dropped (not blended), of 16-bit channels the high byte is kept, CMYK and YCCK JPEGs (Adobe's) become
// RGB. EXIF orientation is ignored, as the reference processors of trained models do.
//
// Values and functions; thread-safe. Throws Error, one line that names the file: NotFound; Io; InvalidFile (a
// folder, an empty file, no image, broken data, more pixels than allowed, more pixels claimed than the file's
// bytes could hold: checked before anything is allocated by them); Unsupported (a CMYK JPEG without Adobe's
// marker, 12-bit and arithmetic-coded JPEGs, run-length BMPs).
//
// Rejected: a library per format (each is a dependency, and together a hundred times the code), ImageMagick.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fovea {

/// Someone's pixels: rows from the top, `row_bytes` apart, `channels` bytes a pixel (1 grey, 3 RGB, 4 RGBA).
struct PixelView {
  const uint8_t *data = nullptr;
  uint32_t width = 0, height = 0;
  uint32_t channels = 3;
  uint64_t row_bytes = 0; // 0: width * channels

  const uint8_t *row(uint32_t y) const {
    return data + y * (row_bytes ? row_bytes : uint64_t(width) * channels);
  }
};

struct Image {
  uint32_t width = 0, height = 0;
  std::vector<uint8_t> rgb; // [height, width, 3]
  PixelView view() const { return {rgb.data(), width, height, 3, 0}; }
};

inline constexpr uint32_t kMaxImageSide = 65535;
inline constexpr uint64_t kMaxImagePixels = 100'000'000, kMaxImageFileBytes = 1ull << 30;

/// Reads `path`, or standard input for "-".
Image read_image(const std::string &path, uint64_t max_pixels = kMaxImagePixels);
/// `name` is what Errors call it.
Image decode_image(std::span<const std::byte> file, const std::string &name,
                   uint64_t max_pixels = kMaxImagePixels);

/// Error InvalidArgument unless every field of the view makes sense. `name` is what the Error calls it.
void check_pixels(const PixelView &pixels, const std::string &name);
/// A copy as RGB; alpha is dropped.
Image to_rgb(const PixelView &pixels, const std::string &name);

/// Writes a PNG of as many channels; `path` appears whole or not at all (write_whole_file()).
void write_png(const std::string &path, const PixelView &pixels);

} // namespace fovea
