// Embedder: a vector for each text, such that texts of like meaning have vectors of like direction. One
// thread at a time. Throws what TextEncoderSession throws, Unsupported (a file for another task).
#pragma once

#include "tasks/text_encoder_session.h"

namespace fovea {

/// The output that is a text's vector: metadata fovea.text.output, else `embedding`.
std::string text_output(const Model &model);

class Embedder {
public:
  static bool accepts(const Model &model);
  Embedder(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
           std::shared_ptr<const DeviceWeights> weights, bool timestamps = false);

  /// `prefix`: put before every text; none: the model's own, if any.
  std::vector<EncodedRow> embed(std::span<const std::string> texts,
                                const std::optional<std::string> &prefix = {},
                                const std::atomic<bool> *cancel = nullptr) {
    return session_.encode(texts, prefix.value_or(prefix_), cancel);
  }
  std::vector<EncodedRow> embed_tokens(std::span<const std::vector<int32_t>> texts,
                                       const std::atomic<bool> *cancel = nullptr) {
    return session_.encode_tokens(texts, cancel);
  }
  const Model &model() const { return session_.model(); }
  uint32_t max_tokens() const { return session_.max_tokens(); }
  MemoryUse memory() const { return session_.memory(); }

private:
  std::string prefix_;
  TextEncoderSession session_;
};

} // namespace fovea
