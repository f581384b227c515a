// fovea classify: the labels that fit.
#include "commands.h"
#include "console.h"
#include "text_lines.h"

#include <fovea/classify.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

namespace tool {
namespace {

struct Arguments {
  std::string model, device;
  std::vector<std::string> inputs;
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

int classify(Arguments &a) {
  TextLines lines(a.inputs);
  auto classifier = make_classifier(a);
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
      ->add_option("TEXT", a->inputs, "Texts, each for itself; - reads them from standard input, one a line")
      ->required()
      ->option_text("...");
  command->add_option("--top", a->top, "Labels for each (default: 5)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command->add_flag("--json", a->json, "A JSON object a line: input, labels with scores");
  command->add_option("--device", a->device, "The device: its number, or part of its name")
      ->option_text("DEVICE");
  command->add_flag("--no-verify", a->no_verify, "Trust the model file: do not compare it with its checksum");
  command->footer(R"(
One line for each text, in their order: labels and scores, the best first, separated by tabs.
Example:
  fovea classify sentiment.fovea.gguf "What a lovely day")");
  command->callback([&exit_code, a] { exit_code = classify(*a); });
}

} // namespace tool
