// Image files behind the C interface: the library fovea_image, which libfovea itself does not need.
#include "api/guard.h"

#include "image/image.h"

#include <fovea/image.h>

using namespace fovea;
using namespace fovea::api;

struct fovea_image {
  Image image;
  fovea_pixels pixels{};
};

namespace {

uint64_t limit(uint64_t max_pixels) { return max_pixels ? max_pixels : kMaxImagePixels; }

std::unique_ptr<fovea_image> handle_of(Image decoded) {
  auto handle = std::make_unique<fovea_image>();
  handle->image = std::move(decoded);
  handle->pixels = {handle->image.rgb.data(), handle->image.width, handle->image.height, 3, 0};
  return handle;
}

} // namespace

extern "C" {

fovea_status fovea_image_read(const char *path, uint64_t max_pixels, fovea_image **out) {
  return create(out, [&] { return handle_of(read_image(require(path, "path"), limit(max_pixels))); });
}
fovea_status fovea_image_read_memory(const void *bytes, size_t n_bytes, const char *name, uint64_t max_pixels,
                                     fovea_image **out) {
  return create(out, [&] {
    const std::span file(static_cast<const std::byte *>(require(bytes, "bytes")), n_bytes);
    return handle_of(decode_image(file, name ? name : "image", limit(max_pixels)));
  });
}
const fovea_pixels *fovea_image_pixels(const fovea_image *image) { return image ? &image->pixels : nullptr; }
void fovea_image_release(fovea_image *image) { delete image; }

fovea_status fovea_image_write_png(const char *path, const fovea_pixels *pixels) {
  return guard([&] {
    require(path, "path");
    require(pixels, "pixels");
    const PixelView view{pixels->data, pixels->width, pixels->height, pixels->channels, pixels->row_bytes};
    check_pixels(view, path);
    write_png(path, view);
  });
}

} // extern "C"
