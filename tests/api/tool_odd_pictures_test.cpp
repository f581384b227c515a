// Odd and damaged image files through the commands: a right result, or one line that names the file, within a
// few hundred megabytes.
#include "api/tool.h"
#include "support/image_files.h"
#include "support/picture.h"

#include <fovea/image.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <map>

using namespace fovea::test;
using nlohmann::json;

namespace {

constexpr uint32_t kGifSide = 12;

std::string text_of(const std::vector<std::byte> &bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// A GIF of frames in one grey each. Codes are not compressed: the table is cleared before it grows.
std::string animated_gif(const std::vector<uint8_t> &greys) {
  std::string out =
      std::string("GIF89a") + char(kGifSide) + '\0' + char(kGifSide) + '\0' + "\xF6" + std::string(2, '\0');
  for (int i = 0; i < 128; ++i) out += std::string(3, char(2 * i));
  for (const uint8_t grey : greys) {
    out.append("\x21\xF9\x04\0\x0A\0\0\0", 8).append("\x2C\0\0\0\0", 5);
    for (const char c : {char(kGifSide), '\0', char(kGifSide), '\0', '\0', '\x07'}) out += c;
    std::string codes; // a byte each: 128 clears the table, 129 ends
    for (uint32_t i = 0; i < kGifSide * kGifSide; ++i) {
      if (i % 64 == 0) codes += '\x80';
      codes += char(grey / 2);
    }
    codes += '\x81';
    for (size_t at = 0; at < codes.size(); at += 200) {
      const std::string block = codes.substr(at, 200);
      out += char(block.size()) + block;
    }
    out += '\0';
  }
  return out + ";";
}

/// Writes pixels as PNG, which image_test.cpp has read back.
std::string png(const std::string &path, const std::vector<uint8_t> &rgb, uint32_t width, uint32_t height) {
  fovea::write_png(path, {rgb.data(), width, height, 3, 0}).value();
  return path;
}

/// Within memory that no honest small picture needs more of; sanitizers and the driver's own need address
/// space.
Finished limited(const std::string &arguments) {
  const bool sanitized = std::string_view(FOVEA_SANITIZED) != "";
  return run_tool(arguments, std::string("export FOVEA_DEVICE_MEMORY=256M; ") +
                                 (sanitized ? "" : "ulimit -v 4000000; "));
}

std::map<std::string, double> scores(const std::string &model, const std::string &path) {
  const Finished f = limited("classify " + model + " --json --top 1000 " + quoted(path));
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  std::map<std::string, double> out;
  double sum = 0;
  const json labels = json::parse(f.out)["labels"];
  for (const json &label : labels) sum += out[label["label"]] = label["score"];
  CHECK(sum == doctest::Approx(1).epsilon(1e-4)); // so none is not a number
  return out;
}

} // namespace

TEST_CASE("tool: every kind of image file is classified as its pixels are") {
  const std::string model = tool_model("golden/cases/vit");
  if (model.empty()) return;
  const TempFolder folder;
  for (const ImageFile &f : kImageFiles) { // CMYK, 16 bits, grey, alpha, palettes …
    if (std::string(f.name) == "jpeg_cmyk_plain") continue;
    CAPTURE(f.name);
    write_file(folder / f.name, text_of(from_base64(f.file)));
    const auto bytes = from_base64(f.rgb);
    std::vector<uint8_t> rgb(bytes.size());
    std::transform(bytes.begin(), bytes.end(), rgb.begin(), [](std::byte b) { return uint8_t(b); });
    const auto got = scores(model, folder / f.name),
               want = scores(model, png(folder / "same.png", rgb, f.width, f.height));
    for (const auto &[label, score] : want)
      CHECK(std::abs(got.at(label) - score) < 0.01); // JPEG decoders differ
  }
  write_file(folder / "moving.gif", animated_gif({40, 200, 90}));
  const std::vector<uint8_t> first(kGifSide * kGifSide * 3, 40), second(kGifSide * kGifSide * 3, 200);
  const auto still = scores(model, png(folder / "still.png", first, kGifSide, kGifSide));
  CHECK(scores(model, folder / "moving.gif") == still);
  CHECK(scores(model, png(folder / "other.png", second, kGifSide, kGifSide)) != still);
}

TEST_CASE("tool: pictures of one pixel and of extreme shapes") {
  const std::string vit = tool_model("golden/cases/vit"), clip = tool_model("golden/cases/clip"),
                    caption = tool_model("golden/cases/caption");
  if (vit.empty() || clip.empty() || caption.empty()) return;
  const TempFolder folder;
  for (const auto &[width, height] : {std::pair{1u, 1u}, {20000u, 3u}, {1u, 20000u}, {20000u, 1u}}) {
    const std::string shape = std::to_string(width) + " x " + std::to_string(height);
    CAPTURE(shape);
    const std::string path = png(folder / "shape.png", formula_picture(width, height), width, height);
    CHECK(scores(vit, path).size() == 7);
    CHECK(scores(clip + " --labels 'a cat,a dog'", path).size() == 2);
    CHECK(json::parse(limited("embed " + clip + " " + quoted(path)).out)["embedding"].size() == 32);
    CHECK(json::parse(limited("caption " + caption + " --json --max-tokens 4 " + quoted(path)).out)["tokens"]
              .size() >= 2);
  }
}

TEST_CASE("tool: damaged image files are one line that names them") {
  const std::string model = tool_model("golden/cases/vit"), clip = tool_model("golden/cases/clip"),
                    caption = tool_model("golden/cases/caption");
  if (model.empty() || clip.empty() || caption.empty()) return;
  const TempFolder folder;
  const std::string path = folder / "odd.png";
  const std::string whole = read_file(png(folder / "whole.png", formula_picture(90, 70), 90, 70));
  std::string claims = text_of(image_file("png_rgb"));
  claims[16] = claims[20] = '\0';
  claims[18] = claims[22] = '\x27'; // 9,991 x 9,989 pixels in 81 bytes
  const auto attempt = [&](const std::string &bytes, const std::string &what) {
    CAPTURE(what);
    write_file(path, bytes);
    for (const std::string &command :
         {"classify " + model, "classify " + clip + " --labels a,b", "embed " + clip, "caption " + caption}) {
      const Finished f = limited(command + " " + quoted(path));
      CHECK(f.exit_code == 1);
      CHECK(f.out.empty());
      CHECK_MESSAGE(f.err.find("fovea: error: " + path + ": ") == 0, f.err);
      CHECK_MESSAGE(f.err.find(what) != std::string::npos, f.err);
      CHECK(lines_of(f.err).size() == 1);
    }
  };
  attempt("", "empty");
  attempt(whole.substr(0, whole.size() / 2), "PNG");
  attempt(whole.substr(0, 20), "odd.png");
  attempt(text_of(image_file("jpeg")).substr(0, 200), "odd.png");
  attempt(animated_gif({1}).substr(0, 100), "odd.png");
  attempt(claims, "cannot hold them");
  attempt(text_of(image_file("jpeg_cmyk_plain")), "Adobe");
  attempt(std::string(1000, '\0'), "not an image");
}
