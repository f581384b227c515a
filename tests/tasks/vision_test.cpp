// Detection and segmentation of pictures: the tasks against their graphs run by hand.
#include "models/golden.h"
#include "tasks/detect.h"
#include "tasks/segment.h"

#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

// A picture with something in it: colours that change along both sides.
std::vector<uint8_t> picture(uint32_t width, uint32_t height, uint32_t channels) {
  std::vector<uint8_t> out;
  for (uint32_t y = 0; y < height; ++y)
    for (uint32_t x = 0; x < width; ++x)
      for (uint32_t c = 0; c < channels; ++c) out.push_back(uint8_t((x * 7 + y * 3 + c * 50) % 256));
  return out;
}

template <class Task> Task make_task(const std::string &folder) {
  const auto model = converted(folder, Encoding::F32);
  return Task(test_device(), model, DeviceWeights::load(test_device(), model));
}

} // namespace

TEST_CASE("detect: what the graphs give, in the picture's pixels; rows with padding, grey and alpha") {
  const std::string folder = shared_path("golden/cases/yolos");
  if (folder.empty()) return;
  auto detector = make_task<Detector>(folder);
  const auto rgb = picture(50, 40, 3);
  const auto found = detector.detect({rgb.data(), 50, 40, 3, 0}, 0.0f);
  CHECK(found.size() == 10); // every query
  for (const Detection &d : found) {
    CHECK(d.label < detector.labels().size());
    CHECK(d.score > 0);
    CHECK(d.left < d.right);
    CHECK(d.right <= 100);
  }
  std::vector<uint8_t> padded(40 * 160, 255), rgba;
  for (uint32_t y = 0; y < 40; ++y) std::copy_n(&rgb[y * 150], 150, &padded[y * 160]);
  for (size_t i = 0; i < rgb.size(); i += 3)
    rgba.insert(rgba.end(), {rgb[i], rgb[i + 1], rgb[i + 2], uint8_t(i)});
  for (const PixelView &same :
       {PixelView{padded.data(), 50, 40, 3, 160}, PixelView{rgba.data(), 50, 40, 4, 0}}) {
    const auto again = detector.detect(same, 0.0f);
    REQUIRE(again.size() == found.size());
    for (size_t i = 0; i < found.size(); ++i) CHECK(again[i].left == found[i].left);
  }
  CHECK(detector.detect({rgb.data(), 50, 40, 3, 0}, 1.0f).empty());
  CHECK_THROWS_AS(detector.detect({rgb.data(), 50, 40, 2, 0}, 0.5f), Error);
  CHECK_THROWS_AS(detector.detect({rgb.data(), 50, 40, 3, 149}, 0.5f), Error);
  CHECK_THROWS_AS(detector.detect({nullptr, 50, 40, 3, 0}, 0.5f), Error);
  CHECK_THROWS_AS(detector.detect({rgb.data(), 0, 40, 3, 0}, 0.5f), Error);
  CHECK_THROWS_AS(make_task<Segmenter>(folder), Error); // another task
}

TEST_CASE("segment: a class for each pixel, of a picture of any size") {
  const std::string folder = shared_path("golden/cases/segformer");
  if (folder.empty()) return;
  auto segmenter = make_task<Segmenter>(folder);
  CHECK(segmenter.labels().size() == 5);
  for (const auto &[width, height] : {std::pair{1u, 1u}, {90u, 37u}}) {
    const auto rgb = picture(width, height, 3);
    const auto classes = segmenter.segment({rgb.data(), width, height, 3, 0});
    REQUIRE(classes.size() == size_t(width) * height);
    for (const uint16_t c : classes) REQUIRE(c < 5);
  }
}
