// Image files: every kind gives the reference's pixels, whatever is damaged or lies about itself an Error.
#include "image/image.h"

#include "base/error.h"
#include "support/image_files.h"
#include "support/shared_folder.h"
#include "support/temp_folder.h"

#include <cmath>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <random>

using namespace fovea;
using namespace fovea::test;

namespace {

std::string refusal(std::span<const std::byte> file, uint64_t max_pixels = kMaxImagePixels) {
  try {
    decode_image(file, "photo", max_pixels);
  } catch (const Error &e) {
    return concat(to_string(e.code()), ": ", e.what());
  }
  return "accepted";
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto span = std::as_bytes(std::span(text.data(), text.size()));
  return {span.begin(), span.end()};
}

} // namespace

TEST_CASE("image: every format and kind of pixel gives what Pillow's convert(\"RGB\") does") {
  for (const ImageFile &f : kImageFiles) {
    if (std::string_view(f.name) == "jpeg_cmyk_plain") continue; // below
    CAPTURE(f.name);
    const Image image = decode_image(from_base64(f.file), f.name);
    const std::vector<std::byte> want = from_base64(f.rgb);
    REQUIRE(image.width == f.width);
    REQUIRE(image.height == f.height);
    REQUIRE(image.rgb.size() == want.size());
    int worst = 0;
    for (size_t i = 0; i < want.size(); ++i)
      worst = std::max(worst, std::abs(int(image.rgb[i]) - int(want[i])));
    // Two inverse transforms and two roundings of colour: JPEG decoders differ.
    CHECK(worst <= (std::string_view(f.name).starts_with("jpeg") ? 3 : 0));
  }
}

TEST_CASE("image: what cannot be read is refused by name and reason") {
  const auto has = [](const std::string &text, const char *part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
    CHECK(text.find("photo: ") != std::string::npos);
  };
  has(refusal({}), "empty");
  has(refusal(bytes_of("hello, this is text")), "not an image");
  has(refusal(bytes_of("RIFF\1\1\1\1WEBPVP8 ")), "WebP");
  has(refusal(image_file("jpeg_cmyk_plain")), "Adobe");
  has(refusal(image_file("png_rgb"), 34), "more than the 34 allowed");
  std::vector<std::byte> png = image_file("png_rgb");
  png[16] = std::byte(0x7F);
  has(refusal(png), "a side may have 65535");
  png = image_file("png_rgb");
  png[18] = png[22] = std::byte(0x27); // 9,991 x 9,989
  has(refusal(png), "cannot hold them");
  std::vector<std::byte> jpeg = image_file("jpeg");
  for (size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == std::byte(0xFF) && jpeg[i + 1] == std::byte(0xC0))
      jpeg[i + 5] = jpeg[i + 7] = std::byte(0x20);
  has(refusal(jpeg), "cannot hold them");
  for (size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == std::byte(0xFF) && jpeg[i + 1] == std::byte(0xC4)) jpeg[i + 6] = std::byte(0xFF);
  has(refusal(jpeg), "JPEG");
  std::vector<std::byte> bmp = image_file("bmp");
  bmp.resize(100);
  has(refusal(bmp), "cannot hold them");
  std::vector<std::byte> ppm = image_file("ppm");
  ppm.resize(100);
  has(refusal(ppm), "cannot hold them");
  has(refusal(bytes_of("P6 0 5 255\n")), "0 x 5");
  has(refusal(bytes_of("P6 99999999999999999999 5 255\n")), "photo");
  CHECK_THROWS_WITH_AS(read_image("/nonexistent/x.png"), doctest::Contains("/nonexistent/x.png"), Error);
  CHECK_THROWS_WITH_AS(read_image("/tmp"), doctest::Contains("folder"), Error);
}

TEST_CASE("image: truncated and mutated files end in an Error or in pixels") {
  std::mt19937 random(11);
  size_t n_refused = 0, n_read = 0;
  const auto attempt = [&](std::span<const std::byte> file) {
    try {
      const Image image = decode_image(file, "photo", 1 << 22);
      CHECK(image.rgb.size() == size_t(image.width) * image.height * 3);
      ++n_read;
    } catch (const Error &e) {
      CHECK(e.code() != ErrorCode::Internal);
      ++n_refused;
    }
  };
  for (const ImageFile &f : kImageFiles) {
    const std::vector<std::byte> file = from_base64(f.file);
    for (size_t n = 0; n < file.size(); ++n) attempt(std::span(file).first(n));
    for (int round = 0; round < 400; ++round) {
      std::vector<std::byte> damaged = file;
      for (uint32_t n = 1 + random() % 8; n > 0; --n)
        damaged[random() % damaged.size()] = std::byte(random());
      attempt(damaged);
    }
  }
  MESSAGE(concat(n_refused, " refused, ", n_read, " read"));
  CHECK(n_refused > 1000);
  CHECK(n_read > 1000);
}

TEST_CASE("image: PNG files are written whole and read back") {
  const TempFolder folder;
  const std::string path = folder / "x.png";
  for (const auto &[width, height, channels] :
       {std::tuple{1u, 1u, 3u}, {20000u, 3u, 3u}, {33u, 7u, 4u}, {5u, 9u, 1u}}) {
    const uint64_t row = uint64_t(width) * channels + 5;
    std::vector<uint8_t> pixels(row * height);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = uint8_t(i * 7 + i / 251);
    const PixelView view{pixels.data(), width, height, channels, row};
    write_png(path, view);
    const Image image = read_image(path);
    CHECK(image.width == width);
    CHECK(image.height == height);
    CHECK(image.rgb == to_rgb(view, "pixels").rgb);
  }
  CHECK_THROWS_AS(write_png("/nonexistent/folder/x.png", Image{1, 1, {1, 2, 3}}.view()), Error);
  CHECK_THROWS_WITH_AS(to_rgb({nullptr, 1, 1, 3, 0}, "mine"), doctest::Contains("mine"), Error);
  const uint8_t one[4] = {};
  CHECK_THROWS_WITH_AS(to_rgb({one, 1, 1, 2, 0}, "mine"), doctest::Contains("2 channels"), Error);
  CHECK_THROWS_WITH_AS(to_rgb({one, 0, 1, 3, 0}, "mine"), doctest::Contains("0 x 1"), Error);
  CHECK_THROWS_WITH_AS(to_rgb({one, 2, 1, 3, 5}, "mine"), doctest::Contains("5 bytes apart"), Error);
}

TEST_CASE("image: photographs") {
  const std::string folder = shared_path("images");
  if (folder.empty()) return;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    const Image image = read_image(entry.path().string());
    CHECK(image.rgb.size() == size_t(image.width) * image.height * 3);
    CHECK(image.width > 100);
  }
}
