// Transformers over image patches against the reference implementation.
#include "models/golden.h"

#include "image/image.h"
#include "support/share.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

using namespace fovea;
using namespace fovea::test;

namespace {

HostTensor image_words(const Image &image) {
  HostTensor out({{image.height, image.width}, Encoding::I32});
  for (size_t i = 0; i < out.i.size(); ++i)
    out.i[i] = image.rgb[3 * i] | image.rgb[3 * i + 1] << 8 | image.rgb[3 * i + 2] << 16;
  return out;
}

} // namespace

TEST_CASE("golden: vit") { check_golden_case("vit"); }
TEST_CASE("golden: deit") { check_golden_case("deit"); }
TEST_CASE("golden: dinov2") { check_golden_case("dinov2"); }
TEST_CASE("golden: yolos") { check_golden_case("yolos"); }
TEST_CASE("golden: caption") { check_golden_case("caption"); }
TEST_CASE("golden: clip") { check_golden_case("clip"); }

TEST_CASE("real weights: top 5 of every image, in every encoding; pixels of the reference") {
  const std::string folder = shared_path("models/vit-tiny-patch16-224"), images = shared_path("images");
  if (folder.empty() || images.empty()) return;
  std::ifstream file(folder + "/references.json");
  const auto references = nlohmann::json::parse(file);
  for (const Encoding encoding : {Encoding::F32, Encoding::F16, Encoding::Q8}) {
    Session session = make_session(converted(folder, encoding));
    size_t n = 0;
    for (const auto &[name, top] : references["top5"].items()) {
      if (n++ % one_in(1) != 0) continue;
      CAPTURE(name);
      RunRequest request;
      request.inputs["image"] = image_words(read_image(images + "/" + name));
      const std::vector<float> logits = run_model(session, request).at("logits").f;
      double sum = 0;
      for (const float v : logits) sum += std::exp(double(v));
      std::vector<size_t> order(logits.size());
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
      CHECK(order[0] == top[0][0].get<size_t>());
      for (size_t i = 0; i < top.size(); ++i) {
        const double p = std::exp(double(logits[order[i]])) / sum, want = top[i][2];
        CHECK(std::abs(p - want) <= (encoding == Encoding::Q8 ? 0.05 : 0.01));
        // Classes as likely as each other may change places.
        const double mine = std::exp(double(logits[top[i][0].get<size_t>()])) / sum;
        CHECK(std::abs(mine - p) <= (encoding == Encoding::Q8 ? 0.05 : 0.002));
      }
    }
  }
}
