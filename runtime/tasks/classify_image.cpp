#include "tasks/classify_image.h"

#include <algorithm>

namespace fovea {
namespace {

constexpr const char *kTask = "classify", *kTemplate = "fovea.classify.template", *kPlace = "{}";
constexpr size_t kMaxLabels = 1 << 16, kMaxLabelBytes = 1 << 16;

const Model &require_task(const Model &model) {
  if (!ImageClassifier::accepts(model))
    fail(ErrorCode::Unsupported, model.path(), ": not a classifier of pictures (its task is '",
         model.file().find_string("fovea.task").value_or(""), "', of '",
         model.file().find_string("fovea.classify.input").value_or(""), "')");
  return model;
}

bool is_open(const Model &model) { return model.file().find_string(kTemplate).has_value(); }

} // namespace

bool ImageClassifier::accepts(const Model &model) {
  return model.file().find_string("fovea.task") == kTask &&
         model.file().find_string("fovea.classify.input") == "image";
}

ImageClassifier::ImageClassifier(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                                 std::shared_ptr<const DeviceWeights> weights, bool timestamps)
    : labels_(is_open(require_task(*model)) ? std::vector<std::string>() : read_labels(model->file())),
      function_(read_score_function(model->file())),
      images_(device, model, weights, is_open(*model) ? "vision" : "forward",
              is_open(*model) ? "image" : "logits", timestamps) {
  if (is_open(*model)) texts_.emplace(device, model, weights, "text", timestamps);
}

void ImageClassifier::set_labels(std::vector<std::string> labels, const std::optional<std::string> &around,
                                 const std::atomic<bool> *cancel) {
  const ModelFile &file = images_.model().file();
  if (!takes_labels())
    fail(ErrorCode::InvalidArgument, file.path(), ": the model has labels of its own; it cannot take others");
  if (labels.empty() || labels.size() > kMaxLabels)
    fail(ErrorCode::InvalidArgument, labels.size(), " labels, expected 1 to ", kMaxLabels);
  const std::string place = around.value_or(std::string(file.find_string(kTemplate).value_or(kPlace)));
  const size_t at = place.find(kPlace);
  if (at == std::string::npos)
    fail(ErrorCode::InvalidArgument, "the template '", place, "' has no {} for the label");
  std::vector<std::string> texts;
  for (const std::string &label : labels) {
    if (label.empty() || label.size() > kMaxLabelBytes)
      fail(ErrorCode::InvalidArgument, "a label of ", label.size(), " bytes, expected 1 to ", kMaxLabelBytes);
    texts.push_back(std::string(place).replace(at, 2, label));
  }
  const std::vector<EncodedRow> rows = texts_->encode(texts, "", cancel);
  embedded_ = HostTensor({{rows.size(), rows[0].values.size()}, Encoding::F32});
  embedded_.f.clear();
  for (const EncodedRow &row : rows)
    embedded_.f.insert(embedded_.f.end(), row.values.begin(), row.values.end());
  labels_ = std::move(labels);
}

// Embeddings become logits of the labels.
void ImageClassifier::compare(std::vector<std::vector<float>> &rows, const std::atomic<bool> *cancel) {
  RunRequest request;
  request.graph = "compare";
  request.control.cancel = cancel;
  HostTensor &images = request.inputs["image"];
  images.type = {{rows.size(), rows[0].size()}, Encoding::F32};
  for (const auto &row : rows) images.f.insert(images.f.end(), row.begin(), row.end());
  request.inputs["text"] = embedded_;
  const HostTensor logits = run_model(images_.session(), request).at("logits_per_image");
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto begin = logits.f.begin() + std::ptrdiff_t(i * labels_.size());
    rows[i].assign(begin, begin + std::ptrdiff_t(labels_.size()));
  }
}

std::vector<EncodedRow> ImageClassifier::classify(std::span<const PixelView> pictures,
                                                  const std::atomic<bool> *cancel) {
  if (labels_.empty())
    fail(ErrorCode::InvalidArgument, images_.model().path(),
         ": the model has no labels of its own; give some to choose from");
  std::vector<std::vector<float>> rows = images_.encode(pictures, cancel);
  if (takes_labels() && !rows.empty()) compare(rows, cancel);
  std::vector<EncodedRow> out;
  for (auto &row : rows) {
    if (row.size() != labels_.size())
      fail(ErrorCode::InvalidFile, images_.model().path(), ": ", labels_.size(), " labels, but logits of ",
           row.size());
    to_scores(function_, row);
    out.push_back({std::move(row), false});
  }
  return out;
}

} // namespace fovea
