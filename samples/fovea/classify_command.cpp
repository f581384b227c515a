// fovea classify: the labels that fit.
#include "commands.h"
#include "console.h"
#include "text_lines.h"

#include <fovea/classify.hpp>
#include <fovea/image.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

namespace tool {
namespace {

struct Arguments {
  std::string model, device;
  std::vector<std::string> inputs, labels;
  std::string around;
  uint32_t top = 5;
  bool json = false, no_verify = false;
};

fovea::Classifier make_classifier(const Arguments &a) {
  const auto model = open_model(a.model, !a.no_verify);
  const auto device = open_device(a.device);
  ProgressBar bar("loading");
  fovea::ClassifierOptions made;
  made.user = &bar;
  made.progress = [](void *user, double done, double total) {
    static_cast<ProgressBar *>(user)->show(done, total, bytes_text(total));
    return int(interrupt().requested());
  };
  return fovea::Classifier::create(device, model, made).value();
}

/// One input's best labels: an object, or a line.
std::string result_line(const Arguments &a, const std::string &input, const std::vector<std::string> &labels,
                        const float *scores) {
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return scores[x] > scores[y]; });
  order.resize(std::min<size_t>(order.size(), a.top));
  if (a.json) {
    nlohmann::json row = {{"input", input}, {"labels", nlohmann::json::array()}};
    for (const size_t i : order) row["labels"].push_back({{"label", labels[i]}, {"score", scores[i]}});
    return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  std::string line;
  for (const size_t i : order)
    line += (line.empty() ? "" : "\t") + labels[i] + " " + format("%.4f", double(scores[i]));
  return line + "\n";
}

constexpr size_t kPictures = 32; // decoded at a time

int classify_images(const Arguments &a, fovea::Classifier &classifier,
                    const fovea::ClassifyOptions &options) {
  if (classifier.takes_labels() && a.labels.empty())
    throw UsageError(
        "this model has no labels of its own; give some to choose from: --labels \"a cat,a dog\"");
  if (!a.labels.empty()) classifier.set_labels(a.labels, a.around).value();
  const std::vector<std::string> labels = classifier.labels();
  for (size_t begin = 0; begin < a.inputs.size(); begin += kPictures) {
    std::vector<fovea::Image> images;
    std::vector<fovea_pixels> pictures;
    for (size_t i = begin; i < std::min(a.inputs.size(), begin + kPictures); ++i)
      pictures.push_back(images.emplace_back(fovea::Image::read(a.inputs[i]).value()).pixels());
    const auto results = classifier.classify_images(pictures, options).value();
    for (size_t i = 0; i < results.size(); ++i)
      print(result_line(a, a.inputs[begin + i], labels, results.scores(i)));
  }
  return kOk;
}

int classify(Arguments &a) {
  auto classifier = make_classifier(a);
  if (classifier.input() == "image") {
    fovea::ClassifyOptions options;
    options.cancel = interrupt().get();
    return classify_images(a, classifier, options);
  }
  if (!a.labels.empty()) throw UsageError("--labels is for models that have none of their own");
  TextLines lines(a.inputs);
  const std::vector<std::string> labels = classifier.labels();
  fovea::ClassifyOptions options;
  options.cancel = interrupt().get();
  for (auto texts = lines.next(); !texts.empty(); texts = lines.next()) {
    const auto results = classifier.classify_texts(texts, options).value();
    for (size_t i = 0; i < results.size(); ++i) {
      if (results.truncated(i))
        std::fprintf(stderr, "fovea: warning: a text is longer than the model takes; its end was left out\n");
      print(result_line(a, texts[i], labels, results.scores(i)));
    }
  }
  return kOk;
}

} // namespace

void add_classify(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("classify", "Say which of a model's labels fit");
  const auto a = std::make_shared<Arguments>();
  command->add_option("MODEL", a->model, "A classifier's file (see fovea convert)")
      ->required()
      ->option_text(" ");
  command
      ->add_option(
          "INPUT", a->inputs,
          "Texts, each for itself (- reads them from standard input, one a line), or image files, as "
          "the model takes")
      ->required()
      ->option_text("...");
  command->add_option("--top", a->top, "Labels for each (default: 5)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command
      ->add_option("--labels", a->labels,
                   "Labels to choose from, for models of pictures and texts that have none: \"a cat,a dog\"")
      ->delimiter(',')
      ->option_text("LABEL,...");
  command
      ->add_option(
          "--template", a->around,
          "What each of --labels is put into, in place of {} (default: the model's, \"a photo of a {}\")")
      ->option_text("TEXT");
  command->add_flag("--json", a->json, "A JSON object a line: input, labels with scores");
  command->add_option("--device", a->device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  command->add_flag("--no-verify", a->no_verify, "Trust the model file: do not compare it with its checksum");
  command->footer(R"(
One line for each input, in their order: labels and scores, the best first, separated by tabs.
Examples:
  fovea classify sentiment.fovea.gguf "What a lovely day"
  fovea classify vit.fovea.gguf cat.jpg dog.png
  fovea classify clip.fovea.gguf cat.jpg --labels "cat,dog")");
  command->callback([&exit_code, a] { exit_code = classify(*a); });
}

} // namespace tool
