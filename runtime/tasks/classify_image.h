// ImageClassifier: how much each of a model's labels fits a picture; or, with a model of pictures and texts
// in one space, each of the caller's labels (Radford et al., 2021). One thread at a time. Throws what
// ImageEncoder and TextEncoderSession throw, Unsupported (a file for another task or another input),
// InvalidArgument (no labels yet, labels for a model that has its own, a template without a place).
#pragma once

#include "tasks/classify_text.h"
#include "tasks/image_encoder.h"

namespace fovea {

/// Of a classifier, or of any model that embeds pictures.
ImageEncoder image_encoder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                           std::shared_ptr<const DeviceWeights> weights, bool timestamps);

class ImageClassifier {
public:
  static bool accepts(const Model &model);
  ImageClassifier(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                  std::shared_ptr<const DeviceWeights> weights, bool timestamps = false);

  /// Whether the labels are the caller's to give.
  bool takes_labels() const { return texts_.has_value(); }
  /// `around`: what each is put into, in place of its "{}"; none: the model's own ("a photo of {}"). After
  /// an error the labels are those of before.
  void set_labels(std::vector<std::string> labels, const std::optional<std::string> &around = {},
                  const std::atomic<bool> *cancel = nullptr);
  /// The same with each label's text as token ids.
  void set_label_tokens(std::vector<std::string> labels, std::span<const std::vector<int32_t>> tokens,
                        const std::atomic<bool> *cancel = nullptr);
  const std::vector<std::string> &labels() const { return labels_; }

  /// One score for each label.
  std::vector<EncodedRow> classify(std::span<const PixelView> pictures,
                                   const std::atomic<bool> *cancel = nullptr);
  /// The same for the model's input, [B, C, h, w].
  std::vector<EncodedRow> classify_pixels(HostTensor pixels, const std::atomic<bool> *cancel = nullptr);
  const Model &model() const { return images_.model(); }
  MemoryUse memory() const;

private:
  void check_labels(const std::vector<std::string> &labels) const;
  void keep_labels(std::vector<std::string> labels, const std::vector<EncodedRow> &rows);
  void require_labels() const;
  void compare(std::vector<std::vector<float>> &rows, const std::atomic<bool> *cancel);
  std::vector<EncodedRow> scored(std::vector<std::vector<float>> rows, const std::atomic<bool> *cancel);

  std::vector<std::string> labels_;
  ScoreFunction function_;
  ImageEncoder images_;
  std::optional<TextEncoderSession> texts_; // only where labels are the caller's
  HostTensor embedded_;                     // [labels, P]
};

} // namespace fovea
