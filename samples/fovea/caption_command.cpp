// fovea caption: a text for a picture.
#include "commands.h"
#include "image_inputs.h"

#include <fovea/caption.hpp>

#include <nlohmann/json.hpp>

namespace tool {
namespace {

struct Arguments {
  std::string model, device;
  std::vector<std::string> images;
  uint32_t beams = 0, max_tokens = 0, min_tokens = 0;
  bool json = false, no_verify = false;
};

/// On one line, without blanks around it.
std::string plain(std::string text) {
  for (char &c : text)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

int caption(const Arguments &a) {
  auto captioner = open_task<fovea::Captioner>(a.model, a.device, !a.no_verify);
  if (!a.json && !captioner.has_tokenizer())
    fail(FOVEA_UNSUPPORTED, {a.model, ": the file has no tokenizer; --json gives token ids"});
  fovea::CaptionOptions options;
  options.beams = a.beams;
  options.max_tokens = a.max_tokens;
  options.min_tokens = a.min_tokens;
  options.cancel = interrupt().get();
  const auto run = [&](const std::vector<fovea_pixels> &pixels) {
    return captioner.caption(pixels[0], options);
  };
  return run_images(
      a.images, {.most = 1}, run, [&](const std::string &path, const fovea::Caption &result, size_t) {
        if (!a.json) return print((a.images.size() > 1 ? path + "\t" : "") + plain(result.text()) + "\n");
        nlohmann::json row = {{"image", path}, {"tokens", result.tokens()}, {"ended", result.ended()}};
        if (captioner.has_tokenizer()) row["text"] = result.text();
        if (result.score() != 0) row["score"] = result.score();
        print(row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
      });
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
  command->add_option("--max-tokens", a->max_tokens, "Of each text (default: the model's, else 256)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command->add_option("--min-tokens", a->min_tokens, "Of each text (default: the model's)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command->add_flag("--json", a->json, "A JSON object a line: image, text, tokens, score, ended");
  command->add_option("--device", a->device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  command->add_flag("--no-verify", a->no_verify, "Trust the model file: do not compare it with its checksum");
  command->footer(R"(
One line for each picture, in their order; of several, the file's name and a tab before it.
Example:
  fovea caption captions.fovea.gguf beach.jpg)");
  command->callback([&exit_code, a] { exit_code = caption(*a); });
}

} // namespace tool
