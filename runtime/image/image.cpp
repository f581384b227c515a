#include "image/image.h"

#include "base/mapped_file.h"
#include "base/uninterrupted.h"
#include "image/image_header.h"
#include "image/stb.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fovea {
namespace {

constexpr size_t kBlock = 1 << 18;
// What decoding may take beside the file: the formats' worst case is 16-bit RGBA, twice while it grows.
constexpr uint64_t kBytesPerPixel = 40, kSpareBytes = 16ull << 20;

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd > 2) ::close(fd);
  }
};

std::vector<std::byte> read_all(const std::string &path, const std::string &name) {
  Descriptor file;
  file.fd =
      path == "-" ? STDIN_FILENO : uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (file.fd < 0)
    fail(errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, name, ": ", std::strerror(errno));
  struct stat status {};
  if (::fstat(file.fd, &status) == 0 && S_ISDIR(status.st_mode))
    fail(ErrorCode::InvalidFile, name, ": is a folder, not an image");
  std::vector<std::byte> bytes;
  for (size_t used = 0;;) {
    bytes.resize(used + kBlock);
    const ssize_t n = uninterrupted([&] { return ::read(file.fd, bytes.data() + used, kBlock); });
    if (n < 0) fail(ErrorCode::Io, name, ": ", std::strerror(errno));
    used += size_t(n);
    if (used > kMaxImageFileBytes)
      fail(ErrorCode::InvalidFile, name, ": larger than ", kMaxImageFileBytes,
           " bytes, which no image should be");
    if (n == 0) {
      bytes.resize(used);
      return bytes;
    }
  }
}

std::string size_text(uint64_t width, uint64_t height) { return concat(width, " x ", height, " pixels"); }

void check_header(const ImageHeader &h, size_t file_bytes, const std::string &name, uint64_t max_pixels) {
  if (h.width == 0 || h.height == 0)
    fail(ErrorCode::InvalidFile, name, ": a ", h.format, " of ", size_text(h.width, h.height));
  if (h.width > kMaxImageSide || h.height > kMaxImageSide)
    fail(ErrorCode::InvalidFile, name, ": ", size_text(h.width, h.height), "; a side may have ",
         kMaxImageSide);
  if (h.width * h.height > max_pixels)
    fail(ErrorCode::InvalidFile, name, ": ", size_text(h.width, h.height), " are more than the ", max_pixels,
         " allowed");
  if (h.least_bytes > file_bytes)
    fail(ErrorCode::InvalidFile, name, ": claims ", size_text(h.width, h.height), ", but its ", file_bytes,
         " bytes cannot hold them: cut off or damaged");
}

} // namespace

Image decode_image(std::span<const std::byte> file, const std::string &name, uint64_t max_pixels) {
  if (file.empty()) fail(ErrorCode::InvalidFile, name, ": the file is empty");
  if (file.size() > kMaxImageFileBytes)
    fail(ErrorCode::InvalidFile, name, ": larger than ", kMaxImageFileBytes,
         " bytes, which no image should be");
  const ImageHeader header = read_image_header(file, name);
  check_header(header, file.size(), name, max_pixels);
  std::vector<std::byte>
      opaque; // a transparent palette entry is a colour like any other once alpha is dropped
  if (header.transparency_at) {
    opaque.assign(file.begin(), file.end());
    opaque[header.transparency_at] &= std::byte(0xFE);
    file = opaque;
  }
  const uint64_t n_pixels = header.width * header.height;
  const stb::Decoded decoded = stb::decode(file, n_pixels * kBytesPerPixel + 2 * file.size() + kSpareBytes);
  if (!decoded.rgb)
    fail(ErrorCode::InvalidFile, name, ": a ", header.format, " that cannot be decoded: ",
         decoded.out_of_memory ? "it wants more memory than an image of its size should" : decoded.failure);
  if (decoded.width != header.width || decoded.height != header.height)
    fail(ErrorCode::InvalidFile, name, ": a ", header.format, " that contradicts itself about its size");
  Image image{decoded.width, decoded.height, {}};
  image.rgb.assign(decoded.rgb.get(), decoded.rgb.get() + n_pixels * 3);
  return image;
}

Image read_image(const std::string &path, uint64_t max_pixels) {
  const std::string name = path == "-" ? "standard input" : path;
  return decode_image(read_all(path, name), name, max_pixels);
}

void check_pixels(const PixelView &p, const std::string &name) {
  if (!p.data) fail(ErrorCode::InvalidArgument, name, ": no pixels are given");
  if (p.width == 0 || p.height == 0 || p.width > kMaxImageSide || p.height > kMaxImageSide)
    fail(ErrorCode::InvalidArgument, name, ": ", size_text(p.width, p.height), "; a side may have 1 to ",
         kMaxImageSide);
  if (p.channels != 1 && p.channels != 3 && p.channels != 4)
    fail(ErrorCode::InvalidArgument, name, ": ", p.channels,
         " channels; 1 (grey), 3 (RGB) or 4 (RGBA) are known");
  if (p.row_bytes && p.row_bytes < uint64_t(p.width) * p.channels)
    fail(ErrorCode::InvalidArgument, name, ": rows of ", p.width, " pixels are ", p.row_bytes,
         " bytes apart");
}

Image to_rgb(const PixelView &p, const std::string &name) {
  check_pixels(p, name);
  Image image{p.width, p.height, std::vector<uint8_t>(uint64_t(p.width) * p.height * 3)};
  uint8_t *out = image.rgb.data();
  for (uint32_t y = 0; y < p.height; ++y) {
    const uint8_t *in = p.row(y);
    for (uint32_t x = 0; x < p.width; ++x, in += p.channels, out += 3)
      for (uint32_t c = 0; c < 3; ++c) out[c] = in[p.channels == 1 ? 0 : c];
  }
  return image;
}

void write_png(const std::string &path, const PixelView &p) {
  check_pixels(p, path);
  const uint64_t row = uint64_t(p.width) * p.channels, row_bytes = p.row_bytes ? p.row_bytes : row;
  if ((row + 1) * p.height > INT_MAX / 2 || row_bytes * p.height > INT_MAX) // stb_image_write counts in ints
    fail(ErrorCode::InvalidArgument, path, ": ", size_text(p.width, p.height), " are too many for a PNG");
  const std::vector<std::byte> png = stb::encode_png(p.data, p.width, p.height, p.channels, row_bytes);
  if (png.empty()) fail(ErrorCode::OutOfMemory, path, ": no memory to compress a PNG");
  write_whole_file(path, png);
}

} // namespace fovea
