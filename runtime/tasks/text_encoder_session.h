// TextEncoderSession: one output of a text encoder's graph `forward` (docs/graph.md) for any number of texts:
// what embedding and classification of texts share. Texts of like length run side by side; a text's result
// does not depend on its neighbours beyond rounding. Owns a Session. One thread. Throws what Session throws,
// InvalidFile (metadata out of range), InvalidGraph, Unsupported (texts without a tokenizer),
// InvalidArgument, Cancelled.
#pragma once

#include "exec/session.h"
#include "tasks/text_batches.h"

#include <optional>

namespace fovea {

struct EncodedRow {
  std::vector<float> values;
  bool truncated = false; // the text was longer than the model takes
};

class TextEncoderSession {
public:
  /// `output`: of rank 2, one row for each text.
  TextEncoderSession(std::shared_ptr<vk::Device> device, std::shared_ptr<const Model> model,
                     std::shared_ptr<const DeviceWeights> weights, std::string output, bool timestamps);

  /// In the order of the texts; `prefix` is put before each.
  std::vector<EncodedRow> encode(std::span<const std::string> texts, const std::string &prefix,
                                 const std::atomic<bool> *cancel);
  /// The same for token ids with the template's tokens; 1 to max_tokens() of them.
  std::vector<EncodedRow> encode_tokens(std::span<const std::vector<int32_t>> texts,
                                        const std::atomic<bool> *cancel);

  /// The program for texts side by side, ready to run: what encode_tokens() runs, for measuring.
  Program &prepare(const TextBatch &batch, std::span<const std::vector<int32_t>> texts);

  uint32_t max_tokens() const { return max_tokens_; }
  uint32_t n_vocabulary() const { return n_vocabulary_; }
  Session &session() { return session_; }
  const Model &model() const { return session_.model(); }
  MemoryUse memory() const { return session_.memory(); }

private:
  std::string graph_; // of metadata fovea.text.graph, else `forward`
  std::string output_;
  uint32_t max_tokens_, n_vocabulary_;
  int32_t pad_;
  std::optional<Tokenizer> tokenizer_;
  Session session_;
};

} // namespace fovea
