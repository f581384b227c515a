// fovea caption: a text for a picture.
#include "commands.h"
#include "console.h"

#include <fovea/caption.hpp>
#include <fovea/image.hpp>

#include <nlohmann/json.hpp>

namespace tool {
namespace {

struct Arguments {
  std::string model, device;
  std::vector<std::string> images;
  uint32_t beams = 0, max_tokens = 0;
  bool json = false, no_verify = false;
};

int caption(const Arguments &a) {
  const auto model = open_model(a.model, !a.no_verify);
  const auto device = open_device(a.device);
  ProgressBar bar("loading");
  fovea::CaptionerOptions made;
  made.user = &bar;
  made.progress = [](void *user, double done, double total) {
    static_cast<ProgressBar *>(user)->show(done, total, bytes_text(total));
    return int(interrupt().requested());
  };
  auto captioner = fovea::Captioner::create(device, model, made).value();
  bar.clear();
  fovea::CaptionOptions options;
  options.beams = a.beams;
  options.max_tokens = a.max_tokens;
  options.cancel = interrupt().get();
  for (const std::string &path : a.images) {
    const auto image = fovea::Image::read(path).value();
    const auto result = captioner.caption(image.pixels(), options).value();
    if (!a.json) {
      print(std::string(result.text()) + "\n");
      continue;
    }
    const nlohmann::json row = {
        {"input", path}, {"text", result.text()}, {"tokens", result.tokens()}, {"ended", result.ended()}};
    print(row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  return kOk;
}

} // namespace

void add_caption(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("caption", "Say in words what is in a picture");
  const auto a = std::make_shared<Arguments>();
  command->add_option("MODEL", a->model, "A captioning model's file (see fovea convert)")
      ->required()
      ->option_text(" ");
  command
      ->add_option("IMAGE", a->images, "JPEG, PNG, GIF (the first frame), BMP or PPM; - reads standard input")
      ->required()
      ->option_text("...");
  command
      ->add_option("--beams", a->beams, "Sequences searched side by side; 1 is greedy (default: the model's)")
      ->check(CLI::Range(1, 64))
      ->option_text("N");
  command->add_option("--max-tokens", a->max_tokens, "Of each text (default: the model's)")
      ->check(CLI::Range(1, 1 << 16))
      ->option_text("N");
  command->add_flag("--json", a->json, "A JSON object a line: input, text, tokens, ended");
  command->add_option("--device", a->device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  command->add_flag("--no-verify", a->no_verify, "Trust the model file: do not compare it with its checksum");
  command->footer(R"(
One line for each picture, in their order.
Example:
  fovea caption captions.fovea.gguf beach.jpg)");
  command->callback([&exit_code, a] { exit_code = caption(*a); });
}

} // namespace tool
