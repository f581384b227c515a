#include "image_inputs.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace tool {
namespace {

constexpr uint64_t kMaxGroupPixels = 32 << 20; // with the next picture's, three bytes each

bool ends_like_an_image(const std::string &input) {
  const size_t dot = input.rfind('.');
  if (dot == std::string::npos) return false;
  std::string ending = input.substr(dot + 1);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  for (const char *known : {"jpg", "jpeg", "png", "gif", "bmp", "ppm", "pgm", "webp"})
    if (ending == known) return true;
  return false;
}

bool is_file(const std::string &path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

/// Says what the model takes where the argument may have been meant as a text.
fovea::Image read(const std::string &path) {
  auto image = fovea::Image::read(path);
  if (image || path == "-" || ends_like_an_image(path) || is_file(path)) return std::move(image).value();
  fail(image.status(), {image.message(), "; the model takes image files"});
}

} // namespace

bool names_image(const std::string &input) {
  return ends_like_an_image(input) || (is_file(input) && fovea::Image::read(input));
}

void refuse_images(const std::vector<std::string> &texts) {
  for (const std::string &text : texts)
    if (is_file(text) && names_image(text))
      fail(FOVEA_UNSUPPORTED, {text, ": an image file, but the model takes texts"});
}

std::vector<fovea::Image> read_group(const std::vector<std::string> &paths, size_t at, size_t most) {
  std::vector<fovea::Image> images;
  images.push_back(read(paths[at]));
  if (paths[at] == "-") return images; // can be read once only
  uint64_t n_pixels = 0;
  for (size_t i = at + 1; i < paths.size() && images.size() < most && paths[i] != "-"; ++i) {
    n_pixels += uint64_t(images.back().pixels().width) * images.back().pixels().height;
    if (n_pixels >= kMaxGroupPixels) break;
    auto image = fovea::Image::read(paths[i]);
    if (!image) break;
    images.push_back(std::move(image).value());
  }
  return images;
}

bool is_about_the_image(fovea_status status) {
  return status == FOVEA_NOT_FOUND || status == FOVEA_INVALID_FILE || status == FOVEA_UNSUPPORTED ||
         status == FOVEA_INVALID_ARGUMENT || status == FOVEA_IO || status == FOVEA_OUT_OF_MEMORY;
}

} // namespace tool
