#include "image/image_header.h"

#include "base/checked.h"
#include "image/image.h"

#include <cctype>

namespace fovea {
namespace {

// Sides past the limit are refused anyway, and their products might overflow.
bool sane(const ImageHeader &h) { return h.width <= kMaxImageSide && h.height <= kMaxImageSide; }

// A file's bytes behind a bound: reading past the end is an Error.
class Bytes {
public:
  Bytes(std::span<const std::byte> file, const std::string &name) : file_(file), name_(name) {}
  size_t size() const { return file_.size(); }
  uint8_t at(size_t i) const {
    if (i >= file_.size()) fail(ErrorCode::InvalidFile, name_, ": the image's header is cut off");
    return uint8_t(file_[i]);
  }
  uint32_t big16(size_t i) const { return uint32_t(at(i)) << 8 | at(i + 1); }
  uint32_t big32(size_t i) const { return big16(i) << 16 | big16(i + 2); }
  uint32_t little16(size_t i) const { return uint32_t(at(i + 1)) << 8 | at(i); }
  uint32_t little32(size_t i) const { return little16(i + 2) << 16 | little16(i); }
  bool starts_with(std::string_view text, size_t i = 0) const {
    for (size_t j = 0; j < text.size(); ++j)
      if (i + j >= file_.size() || at(i + j) != uint8_t(text[j])) return false;
    return true;
  }
  const std::string &name() const { return name_; }

private:
  std::span<const std::byte> file_;
  const std::string &name_;
};

// stb_image writes past its table of code lengths when a Huffman table claims more than 256 codes.
void check_huffman_tables(const Bytes &b, size_t begin, size_t end) {
  for (size_t i = begin; i < end;) {
    size_t n_codes = 0;
    for (size_t j = 1; j <= 16; ++j) n_codes += b.at(i + j);
    if (n_codes > 256)
      fail(ErrorCode::InvalidFile, b.name(), ": a JPEG Huffman table of ", n_codes, " codes");
    i += 17 + n_codes;
  }
}

// From the data of a scan to the next marker: an FF that is neither data (FF 00) nor a restart (FF D0 … D7).
size_t next_marker(const Bytes &b, size_t i) {
  for (; i + 1 < b.size(); ++i) {
    const uint8_t next = b.at(i + 1);
    if (b.at(i) == 0xFF && next != 0x00 && next != 0xFF && (next < 0xD0 || next > 0xD7)) return i;
  }
  return b.size();
}

// The frame's size, and how four channels are to be understood.
ImageHeader jpeg(const Bytes &b) {
  ImageHeader h;
  uint32_t n_channels = 0;
  bool adobe = false;
  for (size_t i = 2; i + 1 < b.size();) {
    const uint8_t marker = b.at(i) == 0xFF ? b.at(i + 1) : 0;
    if (marker == 0x00 || marker == 0x01 || marker == 0xFF || (marker >= 0xD0 && marker <= 0xD8)) {
      ++i; // padding between segments, or a marker without one
      continue;
    }
    if (marker == 0xD9) break;
    const uint32_t length = b.big16(i + 2);
    if (length < 2) fail(ErrorCode::InvalidFile, b.name(), ": a JPEG segment of ", length, " bytes");
    const size_t end = i + 2 + length;
    if (marker == 0xC4) {
      check_huffman_tables(b, i + 4, end);
    } else if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC8 && marker != 0xCC && n_channels == 0) {
      if (marker > 0xC2)
        fail(ErrorCode::Unsupported, b.name(),
             ": a JPEG of a rare kind (lossless, hierarchical or arithmetic); save it as baseline or "
             "progressive");
      if (b.at(i + 4) != 8)
        fail(ErrorCode::Unsupported, b.name(), ": a JPEG of ", b.at(i + 4),
             " bits a channel; save it with 8");
      h.height = b.big16(i + 5);
      h.width = b.big16(i + 7);
      n_channels = b.at(i + 9);
    } else if (marker == 0xEE && b.starts_with("Adobe", i + 4)) {
      adobe = true;
    }
    i = marker == 0xDA ? next_marker(b, end) : end;
  }
  if (n_channels == 0) fail(ErrorCode::InvalidFile, b.name(), ": a JPEG without a frame");
  if (n_channels == 4 && !adobe)
    fail(ErrorCode::Unsupported, b.name(),
         ": a JPEG of four channels without Adobe's marker, which would say what they are; save it as RGB");
  h.least_bytes = div_up(h.width, 8) * div_up(h.height, 8) / 8; // each block of 8 x 8 takes a bit at least
  return h;
}

ImageHeader png(const Bytes &b) {
  if (!b.starts_with("IHDR", 12)) fail(ErrorCode::InvalidFile, b.name(), ": a PNG without its header");
  ImageHeader h;
  h.width = b.big32(16);
  h.height = b.big32(20);
  const uint32_t colour = b.at(25);
  const uint64_t channels = colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1;
  // Deflate makes at most 1,032 bytes of one.
  if (sane(h)) h.least_bytes = div_up(h.width * b.at(24) * channels, 8) * h.height / 1032;
  return h;
}

ImageHeader gif(const Bytes &b) {
  ImageHeader h;
  h.width = b.little16(6);
  h.height = b.little16(8);
  const auto table = [&](uint8_t flags) { return flags & 0x80 ? 3u << ((flags & 7) + 1) : 0u; };
  size_t i = 13 + table(b.at(10));
  while (b.at(i) == 0x21) { // extensions, before the first frame
    if (b.at(i + 1) == 0xF9 && b.at(i + 2) == 4) h.transparency_at = i + 3;
    for (i += 2; b.at(i) != 0; i += 1u + b.at(i)) {}
    ++i;
  }
  if (b.at(i) != 0x2C) fail(ErrorCode::InvalidFile, b.name(), ": a GIF without a frame");
  return h;
}

ImageHeader bmp(const Bytes &b) {
  ImageHeader h;
  const uint32_t pixels_at = b.little32(10), header = b.little32(14);
  if (header == 12) {
    h.width = b.little16(18);
    h.height = b.little16(20);
    h.least_bytes = pixels_at + div_up(h.width * b.little16(24), 32) * 4 * h.height;
    return h;
  }
  h.width = b.little32(18);
  const auto height = int32_t(b.little32(22)); // negative: rows from the top
  h.height = uint64_t(height < 0 ? -int64_t(height) : int64_t(height));
  const uint32_t compression = b.little32(30);
  if (compression == 1 || compression == 2)
    fail(ErrorCode::Unsupported, b.name(), ": a run-length coded BMP; save it as PNG");
  if (sane(h)) h.least_bytes = pixels_at + div_up(h.width * b.little16(28), 32) * 4 * h.height;
  return h;
}

// Whitespace and comments, then a number.
uint64_t pnm_number(const Bytes &b, size_t &i) {
  while (std::isspace(b.at(i)) || b.at(i) == '#') {
    if (b.at(i) == '#')
      while (b.at(i) != '\n') ++i;
    ++i;
  }
  uint64_t value = 0;
  const size_t first = i;
  while (i < b.size() && std::isdigit(b.at(i)) && value < 1u << 30) value = value * 10 + (b.at(i++) - '0');
  if (i == first || value >= 1u << 30)
    fail(ErrorCode::InvalidFile, b.name(), ": a PNM header without numbers");
  return value;
}

ImageHeader pnm(const Bytes &b) {
  ImageHeader h;
  size_t i = 2;
  h.width = pnm_number(b, i);
  h.height = pnm_number(b, i);
  const uint64_t largest = pnm_number(b, i);
  const uint64_t channels = b.at(1) == '6' ? 3 : 1;
  if (sane(h)) h.least_bytes = i + 1 + h.width * channels * (largest > 255 ? 2 : 1) * h.height;
  return h;
}

} // namespace

const char *to_string(ImageFormat format) {
  switch (format) {
  case ImageFormat::Jpeg: return "JPEG";
  case ImageFormat::Png: return "PNG";
  case ImageFormat::Gif: return "GIF";
  case ImageFormat::Bmp: return "BMP";
  case ImageFormat::Pnm: return "PNM";
  }
  return "?";
}

ImageHeader read_image_header(std::span<const std::byte> file, const std::string &name) {
  const Bytes b(file, name);
  const auto as = [](ImageFormat format, ImageHeader header) {
    header.format = format;
    return header;
  };
  if (b.starts_with("\xFF\xD8")) return as(ImageFormat::Jpeg, jpeg(b));
  if (b.starts_with("\x89PNG\r\n\x1A\n")) return as(ImageFormat::Png, png(b));
  if (b.starts_with("GIF87a") || b.starts_with("GIF89a")) return as(ImageFormat::Gif, gif(b));
  if (b.starts_with("BM")) return as(ImageFormat::Bmp, bmp(b));
  if (b.starts_with("P5") || b.starts_with("P6")) return as(ImageFormat::Pnm, pnm(b));
  const char *hint = b.starts_with("RIFF") && b.starts_with("WEBP", 8) ? " (it is WebP)"
                     : b.starts_with("ftyp", 4)                        ? " (it is HEIF or AVIF)"
                     : b.starts_with("II*") || b.starts_with("MM")     ? " (it is TIFF)"
                     : b.starts_with("<svg") || b.starts_with("<?xml") ? " (it is SVG)"
                                                                       : "";
  fail(ErrorCode::InvalidFile, name, ": not an image that Fovea reads", hint,
       "; it reads JPEG, PNG, GIF, BMP and binary PPM and PGM");
}

} // namespace fovea
