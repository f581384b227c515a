// Built without UndefinedBehaviorSanitizer and with wrapping arithmetic (CMakeLists.txt beside the folder):
// stb_image's inverse transform overflows ints on damaged JPEGs, on purpose harmlessly.
#include "image/stb.h"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <zlib.h>

namespace {

// Blocks carry their size, so that frees give back to the thread's budget.
constexpr size_t kPrefix = alignof(std::max_align_t);
thread_local uint64_t t_left_bytes = 0;
thread_local bool t_exhausted = false;

void *take(size_t bytes) {
  if (bytes > t_left_bytes) {
    t_exhausted = true;
    return nullptr;
  }
  // Zeroed: what a truncated file leaves undecoded must not be somebody's memory.
  auto *block = static_cast<unsigned char *>(std::calloc(1, bytes + kPrefix));
  if (!block) return nullptr;
  std::memcpy(block, &bytes, sizeof bytes);
  t_left_bytes -= bytes;
  return block + kPrefix;
}

size_t size_of(const void *p) {
  size_t bytes;
  std::memcpy(&bytes, static_cast<const unsigned char *>(p) - kPrefix, sizeof bytes);
  return bytes;
}

void give_back(void *p) {
  if (!p) return;
  t_left_bytes += size_of(p);
  std::free(static_cast<unsigned char *>(p) - kPrefix);
}

void *resize(void *p, size_t bytes) {
  void *q = take(bytes);
  if (q && p) {
    const size_t old = size_of(p);
    std::memcpy(q, p, old < bytes ? old : bytes);
    give_back(p);
  }
  return q;
}

// zlib compresses better and faster than stb_image_write's own deflate.
unsigned char *compress(unsigned char *data, int bytes, int *out_bytes, int quality) {
  uLongf n = compressBound(uLong(bytes));
  auto *out = static_cast<unsigned char *>(std::malloc(n));
  if (out && (n > INT_MAX || compress2(out, &n, data, uLong(bytes), quality) != Z_OK || n > INT_MAX)) {
    std::free(out);
    out = nullptr;
  }
  *out_bytes = out ? int(n) : 0;
  return out;
}

} // namespace

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_GIF
#define STBI_ONLY_BMP
#define STBI_ONLY_PNM
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS 65535
#define STBI_MALLOC(bytes) take(bytes)
#define STBI_REALLOC(p, bytes) resize(p, bytes)
#define STBI_FREE(p) give_back(p)
#define STBI_ASSERT(condition) ((void)0) /* a stranger's file must not abort */
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#define STBIW_ASSERT(condition) ((void)0)
#define STBIW_ZLIB_COMPRESS compress
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>

namespace fovea::stb {

void Free::operator()(uint8_t *pixels) const { give_back(pixels); }

Decoded decode(std::span<const std::byte> file, uint64_t max_bytes) {
  t_left_bytes = max_bytes;
  t_exhausted = false;
  int width = 0, height = 0, channels = 0;
  Decoded out;
  out.rgb.reset(stbi_load_from_memory(reinterpret_cast<const stbi_uc *>(file.data()), int(file.size()),
                                      &width, &height, &channels, 3));
  out.width = uint32_t(width);
  out.height = uint32_t(height);
  if (!out.rgb) {
    const char *reason = stbi_failure_reason();
    out.failure = reason ? reason : "unknown fault";
    out.out_of_memory = t_exhausted;
  }
  return out;
}

std::vector<std::byte> encode_png(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                                  uint64_t row_bytes) {
  std::vector<std::byte> out;
  const auto append = [](void *user, void *data, int n) {
    const auto *bytes = static_cast<const std::byte *>(data);
    static_cast<std::vector<std::byte> *>(user)->assign(bytes, bytes + n);
  };
  stbi_write_png_to_func(append, &out, int(width), int(height), int(channels), pixels, int(row_bytes));
  return out;
}

} // namespace fovea::stb
