// GenerateSpec: what a file's metadata says about a model that continues text, checked. A value; pure; any
// thread. read() throws Error InvalidFile naming the file and the key: a missing or malformed entry, an id
// outside the vocabulary, a number out of range.
#pragma once

#include "exec/model.h"
#include "tasks/chat_format.h"
#include "tasks/token_sampler.h"

#include <algorithm>
#include <optional>

namespace fovea {

struct GenerateSpec {
  uint32_t n_context = 0; // most positions that the model can tell apart
  uint32_t n_vocabulary = 0;
  static constexpr int32_t kNone = -1;
  int32_t begin = kNone;         // what a text begins with
  std::vector<int32_t> end;      // what ends a text
  std::vector<std::string> stop; // texts that end a reply
  SamplingOptions sampling;      // as the model's publisher recommends
  std::optional<ChatFormat> chat;

  static GenerateSpec read(const ModelFile &file);
  bool ends(int32_t token) const;
  /// Positions of the caches where nobody says otherwise: a model's own may take more memory than all of its
  /// weights.
  uint32_t default_context() const { return std::min(n_context, 4096u); }
};

inline constexpr std::string_view kGenerateTask = "generate";

/// Error InvalidGraph unless the graph `step` is there with the inputs, outputs and shapes of docs/graph.md,
/// for `n_batch` sequences side by side.
void check_generate_graphs(const Model &model, const GenerateSpec &spec, uint64_t n_batch,
                           uint64_t n_context);

} // namespace fovea
