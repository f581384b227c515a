// fovea segment: what each pixel of a picture belongs to.
#include "model_arguments.h"
#include "picture.h"

#include <fovea/image.hpp>
#include <fovea/segment.hpp>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace tool {
namespace {

struct Arguments : ModelArguments {
  std::string image, output;
  bool numbers = false, json = false;
};

struct Share {
  uint32_t number = 0;
  std::string label;
  double share = 0; // of the picture
};

/// Classes that occur, the largest first.
std::vector<Share> shares_of(const fovea::Segmenter &segmenter, const fovea::ClassMap &map) {
  std::map<uint32_t, uint64_t> counts;
  const uint64_t n = uint64_t(map.width()) * map.height();
  for (uint64_t i = 0; i < n; ++i) ++counts[map.data()[i]];
  std::vector<Share> out;
  for (const auto &[number, count] : counts) {
    const char *label = segmenter.label(number);
    out.push_back({number, label ? label : format("class %u", number), double(count) / double(n)});
  }
  std::stable_sort(out.begin(), out.end(), [](const Share &a, const Share &b) { return a.share > b.share; });
  return out;
}

void write_mask(const Arguments &a, const fovea::ClassMap &map, size_t n_labels) {
  const uint64_t n = uint64_t(map.width()) * map.height();
  if (a.numbers) {
    if (n_labels > 256) throw UsageError("--numbers: the model has more classes than a grey pixel can name");
    const std::vector<uint8_t> grey(map.data(), map.data() + n);
    fovea::write_png(a.output, {grey.data(), map.width(), map.height(), 1, 0}).value();
    return;
  }
  Picture picture(map.width(), map.height());
  for (uint32_t y = 0; y < map.height(); ++y)
    for (uint32_t x = 0; x < map.width(); ++x)
      picture.set(x, y, class_colour(map.data()[uint64_t(y) * map.width() + x]));
  fovea::write_png(a.output, picture.pixels()).value();
}

std::string colour_text(uint32_t number) {
  const Colour c = class_colour(number);
  return format("#%02x%02x%02x", c[0], c[1], c[2]);
}

int segment(const Arguments &a) {
  refuse_input(a.output, {a.model, a.image});
  const auto image = fovea::Image::read(a.image).value();
  auto segmenter = open_task<fovea::Segmenter>(a);
  fovea::SegmentOptions options;
  options.cancel = interrupt().get();
  const auto map = segmenter.segment(image.pixels(), options).value();
  if (!a.output.empty()) write_mask(a, map, segmenter.n_labels());
  std::string text;
  nlohmann::json out = {{"image", a.image},
                        {"width", map.width()},
                        {"height", map.height()},
                        {"classes", nlohmann::json::array()}};
  for (const Share &s : shares_of(segmenter, map)) {
    out["classes"].push_back(
        {{"class", s.number}, {"label", s.label}, {"share", s.share}, {"colour", colour_text(s.number)}});
    text += format("%s\t%.4f\t%s\n", s.label.c_str(), s.share, colour_text(s.number).c_str());
  }
  print(a.json ? out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" : text);
  return kOk;
}

} // namespace

void add_segment(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("segment", "Say what each pixel of a picture belongs to");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A segmenter's");
  command->add_option("IMAGE", a->image, "JPEG, PNG, GIF, BMP or PPM; - reads standard input")
      ->required()
      ->option_text(" ");
  command
      ->add_option("-o,--output", a->output, "Write a PNG of the picture's size with a colour for each class")
      ->option_text("FILE");
  command->add_flag("--numbers", a->numbers, "Grey pixels that are the class's number, in place of colours");
  command->add_flag("--json", a->json,
                    "A JSON object: image, width, height, classes with label, share and colour");
  add_device(*command, *a);
  command->footer(R"(
One line for each class that occurs, the largest first: label, share of the picture, and its colour in the output,
separated by tabs.
Example:
  fovea segment segformer.fovea.gguf street.jpg -o mask.png)");
  command->callback([&exit_code, a] { exit_code = segment(*a); });
}

} // namespace tool
