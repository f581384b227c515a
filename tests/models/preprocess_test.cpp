// The graph `preprocess` against the reference processors (transformers on Pillow) and torch, on the
// device: no pixel differs by more than 1/255 of its range. The numbers are make_vision.py's.
#include "converter/features/image_processor.h"
#include "converter/json.h"
#include "image/image.h"
#include "models/golden.h"
#include "support/picture.h"
#include "tasks/image_encoder.h"

#include <doctest/doctest.h>
#include <fstream>

using namespace fovea;
using namespace fovea::test;

namespace {

Json references() {
  std::ifstream file(FOVEA_SOURCE_DIR "/tests/models/vision.json");
  return Json::parse(file);
}

HostTensor picture_words(const Json &c) {
  const uint32_t width = c["width"], height = c["height"];
  const auto rgb = formula_picture(width, height);
  return image_words({rgb.data(), width, height, 3, 0});
}

HostTensor run(const std::string &graph, const HostTensors &weights, const HostTensor &image,
               const char *output) {
  Session session = make_session(Model::open(write_model({graph}, weights)));
  RunRequest request;
  request.inputs["image"] = image;
  return run_model(session, request).at(output);
}

/// The processor's graph and tensors as the converter writes them.
HostTensor preprocessed(const Json &c) {
  Source source("model", "test");
  source.add_text("preprocessor_config.json", c["config"].dump());
  ModelPlan plan;
  add_preprocess(read_image_processor(source, ImageProcessorType::Beit, 224), plan);
  HostTensors weights;
  for (const OutputTensor &t : plan.tensors) {
    weights[t.name] = HostTensor({t.shape, Encoding::F32});
    weights[t.name].f = t.combine({});
  }
  return run(plan.graphs.at(0).second, weights, picture_words(c), "pixels");
}

} // namespace

TEST_CASE("preprocess: every processor gives the reference's pixels within 1/255") {
  const Json all = references()["processed"];
  CHECK(all.size() >= 20);
  for (const Json &c : all) {
    INFO(c["name"].get<std::string>(), " ", c["width"].get<int>(), " x ", c["height"].get<int>(), " ",
         c["config"].dump());
    const HostTensor got = preprocessed(c);
    const std::vector<uint64_t> shape = c["shape"];
    INFO(to_string(got.type));
    REQUIRE(got.type.shape == Shape{1, shape[0], shape[1], shape[2]});
    const std::vector<float> want = c["pixels"], deviation = c["config"]["image_std"];
    const bool normalizes = c["config"]["do_normalize"];
    double worst = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      const double range = normalizes ? 1 / double(deviation[i / (shape[1] * shape[2])]) : 1;
      worst = std::max(worst, std::abs(double(got.f[i]) - want[i]) / range);
    }
    CHECK(worst <= 1.0 / 255 + 1e-4); // the numbers have four digits
  }
}

TEST_CASE("preprocess: without antialias, within 1/255 of torch's") {
  const Json all = references()["without_antialias"];
  CHECK(all.size() == 6);
  for (const Json &c : all) {
    INFO(c["filter"].get<std::string>(), " ", c["to"].dump());
    const HostTensor got = run(concat("graph g\n  in image i32 [H, W]\n  out y = resize_image(image) height=",
                                      c["to"][0].get<int>(), " width=", c["to"][1].get<int>(),
                                      " filter=", c["filter"].get<std::string>(), " antialias=false\n"),
                               {}, picture_words(c), "y");
    const std::vector<int> want = c["bytes"];
    REQUIRE(got.f.size() == want.size());
    int worst = 0;
    for (size_t i = 0; i < want.size(); ++i)
      worst = std::max(worst, std::abs(int(std::lround(got.f[i])) - want[i]));
    CHECK(worst <= 1);
  }
}
