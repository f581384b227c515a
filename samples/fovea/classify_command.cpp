// fovea classify: the labels that fit.
#include "image_inputs.h"
#include "model_arguments.h"
#include "text_lines.h"

#include <fovea/classify.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

namespace tool {
namespace {

struct Arguments : ModelArguments {
  std::vector<std::string> inputs;
  std::optional<std::string> labels, around;
  uint32_t top = 5;
  bool json = false;
};

/// "a cat, a dog" without the blanks around each.
std::vector<std::string> parse_labels(const std::string &text) {
  constexpr const char *kBlanks = " \t\r\n";
  std::vector<std::string> labels;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string label = text.substr(begin, end - begin);
    const size_t first = label.find_first_not_of(kBlanks);
    if (first == std::string::npos)
      throw UsageError("--labels '" + text + "' has an empty label; expected names with commas between: " +
                       "--labels \"a cat,a dog\"");
    labels.push_back(label.substr(first, label.find_last_not_of(kBlanks) + 1 - first));
    begin = end + 1;
  }
  return labels;
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

int classify_images(const Arguments &a, fovea::Classifier &classifier,
                    const fovea::ClassifyOptions &options) {
  if (a.labels)
    classifier.set_labels(parse_labels(*a.labels), a.around.value_or(""), options).value();
  else if (classifier.takes_labels())
    throw UsageError(
        "this model has no labels of its own; give some to choose from: --labels \"a cat,a dog\"");
  const std::vector<std::string> labels = classifier.labels();
  const auto run = [&](const std::vector<fovea_pixels> &pixels) {
    return classifier.classify_images(pixels, options);
  };
  return run_images(a.inputs, {}, run, [&](const std::string &path, const auto &results, size_t i) {
    const bool named = a.inputs.size() > 1 && !a.json;
    print((named ? path + "\t" : "") + result_line(a, path, labels, results.scores(i)));
  });
}

int classify_texts(const Arguments &a, fovea::Classifier &classifier, const fovea::ClassifyOptions &options) {
  refuse_images(a.inputs);
  const std::vector<std::string> labels = classifier.labels();
  TextLines lines(a.inputs);
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

int classify(const Arguments &a) {
  if (a.labels) parse_labels(*a.labels); // before the model is read
  if (a.around && !a.labels) throw UsageError("--template goes with --labels");
  if (a.around && a.around->find("{}") == std::string::npos)
    throw UsageError("--template '" + *a.around + "' has no {} for the label");
  auto classifier = open_task<fovea::Classifier>(a);
  if (a.labels && !classifier.takes_labels())
    throw UsageError(
        "--labels: the model has labels of its own; only models of pictures and texts take others");
  fovea::ClassifyOptions options;
  options.cancel = interrupt().get();
  return classifier.input() == "image" ? classify_images(a, classifier, options)
                                       : classify_texts(a, classifier, options);
}

} // namespace

void add_classify(CLI::App &app, int &exit_code) {
  CLI::App *command = app.add_subcommand("classify", "Say which of a model's labels fit");
  const auto a = std::make_shared<Arguments>();
  add_model(*command, *a, "A classifier's");
  command
      ->add_option("INPUT", a->inputs,
                   "Texts, each for itself (- reads them from standard input, one a line), or image files (- "
                   "reads one): "
                   "what the model takes")
      ->required()
      ->option_text("...");
  command->add_option("--top", a->top, "Labels for each (default: 5)")
      ->check(CLI::Range(1, 1 << 20))
      ->option_text("N");
  command
      ->add_option("--labels", a->labels,
                   "Labels to choose from, for models of pictures and texts that have none: \"a cat,a dog\"")
      ->option_text("LABEL,...");
  command
      ->add_option(
          "--template", a->around,
          "What each of --labels is put into, in place of {} (default: the model's, \"a photo of {}\")")
      ->option_text("TEXT");
  command->add_flag("--json", a->json, "A JSON object a line: input, labels with scores");
  add_device(*command, *a);
  command->footer(R"(
One line for each input, in their order: labels and scores, the best first, separated by tabs; of several image files,
the file's name before them.
Example:
  fovea classify sentiment.fovea.gguf "What a lovely day"
  fovea classify vit.fovea.gguf cat.jpg dog.png
  fovea classify clip.fovea.gguf cat.jpg --labels "a cat,a dog")");
  command->callback([&exit_code, a] { exit_code = classify(*a); });
}

} // namespace tool
