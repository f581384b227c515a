// fovea detect and fovea segment, run as users run them.
#include "api/process.h"
#include "support/shared_folder.h"

#include <fovea/image.hpp>

#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace fovea::test;

namespace {

Finished fovea_tool(const std::string &arguments) { return run_command("'" FOVEA_TOOL "' " + arguments); }

/// A golden case, converted; "" where there is none.
std::string converted_case(const TempFolder &folder, const std::string &name) {
  const std::string source = shared_path("golden/cases/" + name), path = folder / (name + ".gguf");
  if (source.empty()) return "";
  const Finished f = fovea_tool("convert " + quoted(source) + " -o " + quoted(path) + " --encoding f32");
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  return path;
}

} // namespace

TEST_CASE("tool: detect prints boxes and draws them") {
  const TempFolder folder;
  const std::string model = converted_case(folder, "yolos"), image = shared_path("images/cat.png");
  if (model.empty() || image.empty()) return;
  const std::string out = folder / "boxes.png", common = "detect " + quoted(model) + " " + quoted(image);
  const Finished f = fovea_tool(common + " --threshold 0 --json -o " + quoted(out));
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  const auto result = nlohmann::json::parse(f.out);
  const auto original = fovea::Image::read(image).value(), drawn = fovea::Image::read(out).value();
  CHECK(result["width"] == original.pixels().width);
  CHECK(drawn.pixels().width == original.pixels().width);
  CHECK(drawn.pixels().height == original.pixels().height);
  CHECK(result["objects"].size() == 10);
  double last = 1;
  for (const auto &object : result["objects"]) {
    CHECK(object["score"] <= last);
    last = object["score"];
    CHECK(object["box"].size() == 4);
    CHECK(object["label"].get<std::string>().find("LABEL_") == 0);
  }
  const Finished lines = fovea_tool(common + " --threshold 0");
  CHECK(std::count(lines.out.begin(), lines.out.end(), '\n') == 10);
  CHECK(fovea_tool(common + " --threshold 1").out.empty());
  CHECK(fovea_tool(common + " --threshold 2").exit_code == 2);
  const Finished wrong = fovea_tool("segment " + quoted(model) + " " + quoted(image));
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err.find("its task is 'detect', expected 'segment'") != std::string::npos);
  const Finished none = fovea_tool("detect " + quoted(model) + " " + quoted(model));
  CHECK(none.exit_code == 1);
  CHECK(none.err.find("yolos.gguf") != std::string::npos);
}

TEST_CASE("tool: segment prints classes and draws them") {
  const TempFolder folder;
  const std::string model = converted_case(folder, "segformer"), image = shared_path("images/cat.png");
  if (model.empty() || image.empty()) return;
  const std::string out = folder / "mask.png", common = "segment " + quoted(model) + " " + quoted(image);
  const Finished f = fovea_tool(common + " --json -o " + quoted(out));
  REQUIRE_MESSAGE(f.exit_code == 0, f.err);
  const auto result = nlohmann::json::parse(f.out);
  double sum = 0;
  for (const auto &c : result["classes"]) sum += c["share"].get<double>();
  CHECK(sum == doctest::Approx(1));
  const auto mask = fovea::Image::read(out).value();
  CHECK(mask.pixels().width == result["width"]);
  CHECK(mask.pixels().height == result["height"]);

  REQUIRE(fovea_tool(common + " --numbers -o " + quoted(out)).exit_code == 0);
  const auto numbers = fovea::Image::read(out).value();
  uint8_t largest = 0;
  for (size_t i = 0; i < size_t(numbers.pixels().width) * numbers.pixels().height * 3; ++i)
    largest = std::max(largest, numbers.pixels().data[i]);
  CHECK(largest < 5);
}
