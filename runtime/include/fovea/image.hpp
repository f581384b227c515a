// Image files for C++: RAII over image.h, as fovea.hpp is over fovea.h.
#pragma once

#include <fovea/fovea.hpp>
#include <fovea/image.h>

namespace fovea {
inline namespace client {

/// A decoded image.
class Image {
public:
  static Result<Image> read(const std::string &path, uint64_t max_pixels = 0) {
    fovea_image *handle = nullptr;
    const fovea_status status = fovea_image_read(path.c_str(), max_pixels, &handle);
    return status == FOVEA_OK ? Result<Image>(Image(handle)) : Result<Image>(status);
  }
  /// RGB; lives as long as this.
  const fovea_pixels &pixels() const { return *fovea_image_pixels(handle_.get()); }

private:
  explicit Image(fovea_image *handle) : handle_(handle) {}
  detail::Handle<fovea_image, fovea_image_release> handle_;
};

inline Result<void> write_png(const std::string &path, const fovea_pixels &pixels) {
  return Result<void>(fovea_image_write_png(path.c_str(), &pixels));
}

} // namespace client
} // namespace fovea
