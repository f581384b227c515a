// fovea detect: the objects in a picture.
#include "model_arguments.h"
#include "picture.h"

#include <fovea/detect.hpp>
#include <fovea/image.hpp>

#include <nlohmann/json.hpp>

namespace tool {
namespace {

struct Arguments : ModelArguments {
  std::string image, output;
  float threshold = 0.5f;
  bool json = false;
};

std::string label_of(const fovea::Detector &detector, const fovea_detection &d) {
  const char *label = detector.label(d.label);
  return label ? label : format("class %u", d.label);
}

std::string json_text(const Arguments &a, const fovea_pixels &picture, const fovea::Detector &detector,
                      const std::vector<fovea_detection> &found) {
  nlohmann::json out = {{"image", a.image},
                        {"width", picture.width},
                        {"height", picture.height},
                        {"objects", nlohmann::json::array()}};
  for (const fovea_detection &d : found)
    out["objects"].push_back(
        {{"label", label_of(detector, d)}, {"score", d.score}, {"box", {d.left, d.top, d.right, d.bottom}}});
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void write_boxes(const Arguments &a, const fovea_pixels &pixels, const fovea::Detector &detector,
                 const std::vector<fovea_detection> &found) {
  Picture picture(pixels);
  for (size_t i = found.size(); i-- > 0;) { // the most probable on top
    const fovea_detection &d = found[i];
    picture.box(double(d.left), double(d.top), double(d.right), double(d.bottom), class_colour(d.label),
                label_of(detector, d) + format(" %.0f%%", double(d.score) * 100));
  }
  fovea::write_png(a.output, picture.pixels()).value();
}

int detect(const Arguments &a) {
  refuse_input(a.output, {a.model, a.image});
  const auto image = fovea::Image::read(a.image).value();
  auto detector = open_task<fovea::Detector>(a);
  fovea::DetectOptions options;
  options.threshold = a.threshold;
  options.cancel = interrupt().get();
  const auto found = detector.detect(image.pixels(), options).value();
  if (!a.output.empty()) write_boxes(a, image.pixels(), detector, found);
  std::string text = a.json ? json_text(a, image.pixels(), detector, found) : "";
  if (!a.json)
    for (const fovea_detection &d : found)
      text += format("%s\t%.4f\t%.1f %.1f %.1f %.1f\n", label_of(detector, d).c_str(), double(d.score),
                     double(d.left), double(d.top), double(d.right), double(d.bottom));
  print(text);
  return kOk;
}

} // namespace

void add_detect(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("detect", "Find the objects in a picture");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A detector's");
  command->add_option("IMAGE", a->image, "JPEG, PNG, GIF, BMP or PPM; - reads standard input")
      ->required()
      ->option_text(" ");
  command->add_option("-o,--output", a->output, "Write the picture with boxes and labels to this PNG")
      ->option_text("FILE");
  command->add_option("--threshold", a->threshold, "Least probability of an object (default: 0.5)")
      ->check(number(0, 1))
      ->option_text("P");
  command->add_flag("--json", a->json,
                    "A JSON object: image, width, height, objects with label, score and box");
  add_device(*command, *a);
  command->footer(R"(
One line for each object, the most probable first: label, probability, and the box (left, top, right, bottom in
pixels), separated by tabs.
Example:
  fovea detect detr.fovea.gguf street.jpg -o boxes.png)");
  command->callback([&exit_code, a] { exit_code = detect(*a); });
}

} // namespace tool
