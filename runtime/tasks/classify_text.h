// TextClassifier: how much each of a model's labels fits a text. One thread at a time. Throws what
// TextEncoderSession throws, Unsupported (a file for another task or another input).
#pragma once

#include "tasks/text_encoder_session.h"

namespace fovea {

/// What makes scores of logits.
enum class ScoreFunction : uint8_t { Softmax, Sigmoid, None };
/// Metadata fovea.classify.scores. Error InvalidFile.
ScoreFunction read_score_function(const ModelFile &file);
/// In place; softmax over all of `values`.
void to_scores(ScoreFunction function, std::span<float> values);
/// Metadata fovea.classify.labels. Error InvalidFile (none, or more than 2^20).
std::vector<std::string> read_labels(const ModelFile &file);

class TextClassifier {
public:
  static bool accepts(const Model &model);
  TextClassifier(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                 std::shared_ptr<const DeviceWeights> weights, bool timestamps = false);

  const std::vector<std::string> &labels() const { return labels_; }
  /// One score for each label.
  std::vector<EncodedRow> classify(std::span<const std::string> texts,
                                   const std::atomic<bool> *cancel = nullptr);
  std::vector<EncodedRow> classify_tokens(std::span<const std::vector<int32_t>> texts,
                                          const std::atomic<bool> *cancel = nullptr);
  const Model &model() const { return session_.model(); }
  MemoryUse memory() const { return session_.memory(); }

private:
  std::vector<EncodedRow> scored(std::vector<EncodedRow> rows) const;
  std::vector<std::string> labels_;
  ScoreFunction function_;
  TextEncoderSession session_;
};

} // namespace fovea
