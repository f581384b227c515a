#include "tasks/classify_image.h"

#include "tasks/embed.h"
#include "tasks/embed_image.h"
#include "tasks/file_tasks.h"

namespace fovea {
namespace {

constexpr const char *kTask = "classify", *kTemplate = "fovea.classify.template", *kPlace = "{}";
constexpr const char *kCompare = "compare", *kLogits = "logits_per_image";
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

ImageEncoder image_encoder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                           std::shared_ptr<const DeviceWeights> weights, bool timestamps) {
  if (ImageClassifier::accepts(*model) && !is_open(*model))
    return ImageEncoder(std::move(device), std::move(model), std::move(weights), "forward", "logits",
                        timestamps);
  return image_embedder(std::move(device), std::move(model), std::move(weights), timestamps);
}

bool ImageClassifier::accepts(const Model &model) {
  return has_task(model, kTask) && model.file().find_string("fovea.classify.input") == "image";
}

ImageClassifier::ImageClassifier(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                                 std::shared_ptr<const DeviceWeights> weights, bool timestamps)
    : labels_(is_open(require_task(*model)) ? std::vector<std::string>() : read_labels(model->file())),
      function_(read_score_function(model->file())),
      images_(image_encoder(device, model, weights, timestamps)) {
  if (is_open(*model))
    texts_.emplace(std::move(device), model, std::move(weights), text_output(*model), timestamps);
}

void ImageClassifier::check_labels(const std::vector<std::string> &labels) const {
  if (!takes_labels())
    fail(ErrorCode::InvalidArgument, model().path(),
         ": the model has labels of its own; it cannot take others");
  if (labels.empty() || labels.size() > kMaxLabels)
    fail(ErrorCode::InvalidArgument, labels.size(), " labels, expected 1 to ", kMaxLabels);
  for (const std::string &label : labels)
    if (label.empty() || label.size() > kMaxLabelBytes)
      fail(ErrorCode::InvalidArgument, "a label of ", label.size(), " bytes, expected 1 to ", kMaxLabelBytes);
}

void ImageClassifier::set_labels(std::vector<std::string> labels, const std::optional<std::string> &around,
                                 const std::atomic<bool> *cancel) {
  check_labels(labels);
  const std::string place = around.value_or(std::string(model().file().get_string(kTemplate)));
  const size_t at = place.find(kPlace);
  const bool fits = at != std::string::npos && place.size() <= kMaxLabelBytes;
  if (!fits && !around)
    fail(ErrorCode::InvalidFile, model().path(), ": ", kTemplate, " has no {} for the label");
  if (!fits)
    fail(ErrorCode::InvalidArgument, "the template '", place.substr(0, 100), "' has no {} for the label");
  std::vector<std::string> texts;
  for (const std::string &label : labels) texts.push_back(std::string(place).replace(at, 2, label));
  keep_labels(std::move(labels), texts_->encode(texts, "", cancel));
}

void ImageClassifier::set_label_tokens(std::vector<std::string> labels,
                                       std::span<const std::vector<int32_t>> tokens,
                                       const std::atomic<bool> *cancel) {
  check_labels(labels);
  if (labels.size() != tokens.size())
    fail(ErrorCode::InvalidArgument, labels.size(), " labels, but tokens of ", tokens.size());
  keep_labels(std::move(labels), texts_->encode_tokens(tokens, cancel));
}

void ImageClassifier::keep_labels(std::vector<std::string> labels, const std::vector<EncodedRow> &rows) {
  embedded_.type = {{rows.size(), rows[0].values.size()}, Encoding::F32};
  embedded_.f.clear();
  for (const EncodedRow &row : rows)
    embedded_.f.insert(embedded_.f.end(), row.values.begin(), row.values.end());
  labels_ = std::move(labels);
}

void ImageClassifier::require_labels() const {
  if (labels_.empty())
    fail(ErrorCode::InvalidArgument, model().path(),
         ": the model has no labels of its own; give some to choose from");
}

// Embeddings become logits of the labels.
void ImageClassifier::compare(std::vector<std::vector<float>> &rows, const std::atomic<bool> *cancel) {
  RunRequest request;
  request.graph = kCompare;
  request.control.cancel = cancel;
  HostTensor &images = request.inputs["image"];
  images.type = {{rows.size(), rows[0].size()}, Encoding::F32};
  for (const auto &row : rows) images.f.insert(images.f.end(), row.begin(), row.end());
  request.inputs["text"] = embedded_;
  NamedTensors out = run_model(images_.session(), request);
  const HostTensor &logits = out[kLogits];
  const TensorType expected{{rows.size(), labels_.size()}, Encoding::F32};
  if (logits.type != expected)
    fail(ErrorCode::InvalidFile, model().path(), ": graph '", kCompare, "' gives no '", kLogits, "' ",
         to_string(expected));
  auto at = logits.f.begin();
  for (auto &row : rows) {
    row.assign(at, at + std::ptrdiff_t(labels_.size()));
    at += std::ptrdiff_t(labels_.size());
  }
}

std::vector<EncodedRow> ImageClassifier::classify(std::span<const PixelView> pictures,
                                                  const std::atomic<bool> *cancel) {
  require_labels();
  return scored(images_.encode(pictures, cancel), cancel);
}

std::vector<EncodedRow> ImageClassifier::classify_pixels(HostTensor pixels, const std::atomic<bool> *cancel) {
  require_labels();
  return scored(images_.encode_pixels(std::move(pixels), cancel), cancel);
}

std::vector<EncodedRow> ImageClassifier::scored(std::vector<std::vector<float>> rows,
                                                const std::atomic<bool> *cancel) {
  if (takes_labels() && !rows.empty()) compare(rows, cancel);
  std::vector<EncodedRow> out;
  for (auto &row : rows) {
    if (row.size() != labels_.size())
      fail(ErrorCode::InvalidFile, model().path(), ": ", labels_.size(), " labels, but logits of ",
           row.size());
    to_scores(function_, row);
    out.push_back({std::move(row), false});
  }
  return out;
}

MemoryUse ImageClassifier::memory() const {
  return texts_ ? together(images_.memory(), texts_->memory()) : images_.memory();
}

} // namespace fovea
