#include "tasks/classify_text.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

constexpr const char *kTask = "classify";
constexpr size_t kMaxLabels = 1 << 20;

const Model &require_task(const Model &model) {
  if (!TextClassifier::accepts(model))
    fail(ErrorCode::Unsupported, model.path(), ": not a classifier of texts (its task is '",
         model.file().find_string("fovea.task").value_or(""), "', of '",
         model.file().find_string("fovea.classify.input").value_or(""), "')");
  return model;
}

} // namespace

ScoreFunction read_score_function(const ModelFile &file) {
  const std::string_view name = file.find_string("fovea.classify.scores").value_or("softmax");
  if (name == "softmax") return ScoreFunction::Softmax;
  if (name == "sigmoid") return ScoreFunction::Sigmoid;
  if (name == "none") return ScoreFunction::None;
  fail(ErrorCode::InvalidFile, file.path(), ": fovea.classify.scores is '", name,
       "', expected softmax, sigmoid or none");
}

void to_scores(ScoreFunction function, std::span<float> values) {
  if (function == ScoreFunction::None || values.empty()) return;
  if (function == ScoreFunction::Sigmoid) {
    for (float &v : values) v = float(1 / (1 + std::exp(-double(v))));
    return;
  }
  const double highest = double(*std::max_element(values.begin(), values.end()));
  double sum = 0;
  for (const float v : values) sum += std::exp(double(v) - highest);
  for (float &v : values) v = float(std::exp(double(v) - highest) / sum);
}

std::vector<std::string> read_labels(const ModelFile &file) {
  const auto labels = file.get_strings("fovea.classify.labels");
  if (labels.empty() || labels.size() > kMaxLabels)
    fail(ErrorCode::InvalidFile, file.path(), ": fovea.classify.labels has ", labels.size(), " labels");
  return {labels.begin(), labels.end()};
}

bool TextClassifier::accepts(const Model &model) {
  return model.file().find_string("fovea.task") == kTask &&
         model.file().find_string("fovea.classify.input") == "text";
}

TextClassifier::TextClassifier(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                               std::shared_ptr<const DeviceWeights> weights, bool timestamps)
    : labels_(read_labels(require_task(*model).file())), function_(read_score_function(model->file())),
      session_(std::move(device), std::move(model), std::move(weights), "logits", timestamps) {}

std::vector<EncodedRow> TextClassifier::classify(std::span<const std::string> texts,
                                                 const std::atomic<bool> *cancel) {
  return scored(session_.encode(texts, "", cancel));
}

std::vector<EncodedRow> TextClassifier::classify_tokens(std::span<const std::vector<int32_t>> texts,
                                                        const std::atomic<bool> *cancel) {
  return scored(session_.encode_tokens(texts, cancel));
}

std::vector<EncodedRow> TextClassifier::scored(std::vector<EncodedRow> rows) const {
  for (EncodedRow &row : rows) {
    if (row.values.size() != labels_.size())
      fail(ErrorCode::InvalidFile, session_.model().path(), ": ", labels_.size(), " labels, but logits of ",
           row.values.size());
    to_scores(function_, row.values);
  }
  return rows;
}

} // namespace fovea
