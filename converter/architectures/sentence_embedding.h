// How a text encoder's rows become one vector: the files that sentence-transformers (Reimers and Gurevych,
// 2019) puts beside a model: modules.json, 1_Pooling/config.json, sentence_bert_config.json.
// Without them: the mean over a text's tokens, as that library does with a plain encoder. Errors:
// InvalidFile, Unsupported (a module or a pooling that this build does not have).
#pragma once

#include "converter/sources/source.h"
#include "graph/graph.h"
#include "ops/pool_rows.h"

namespace fovea {

struct SentenceEmbedding {
  PoolFunction pooling = PoolFunction::Mean;
  bool normalize = false;
  bool declared = false;              // the source has these files
  std::optional<uint32_t> max_tokens; // with the template's
  std::string prefix;                 // put before every text

  /// Appends `out embedding` of hidden [B, T, D] and mask [B, T].
  void add(Graph &graph, Value hidden, Value mask) const;
};

SentenceEmbedding read_sentence_embedding(const Source &source);

} // namespace fovea
