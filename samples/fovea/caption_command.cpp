// fovea caption: a text for a picture.
#include "image_inputs.h"
#include "model_arguments.h"

#include <fovea/caption.hpp>

#include <nlohmann/json.hpp>

namespace tool {
namespace {

struct Arguments : ModelArguments {
  std::vector<std::string> images;
  uint32_t beams = 0, max_tokens = 0, min_tokens = 0;
  bool json = false;
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
  check_search(a.max_tokens, a.min_tokens);
  auto captioner = open_task<fovea::Captioner>(a);
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
  add_model(*command, *a, "A captioning model's");
  command
      ->add_option("IMAGE", a->images, "JPEG, PNG, GIF (the first frame), BMP or PPM; - reads standard input")
      ->required()
      ->option_text("...");
  add_search(*command, a->beams, a->max_tokens, a->min_tokens);
  command->add_flag("--json", a->json, "A JSON object a line: image, text, tokens, score, ended");
  add_device(*command, *a);
  command->footer(R"(
One line for each picture, in their order; of several, the file's name and a tab before it.
Example:
  fovea caption captions.fovea.gguf beach.jpg)");
  command->callback([&exit_code, a] { exit_code = caption(*a); });
}

} // namespace tool
