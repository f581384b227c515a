// Attention whose weights a graph offers: what every architecture's builder adds.
#pragma once

#include "graph/graph.h"
#include "ops/attention_weights.h"

#include <utility>

namespace fovea {

/// Appends the attention of `fields` over `v`. With a name, its probabilities are offered under it
/// ("attention.3", "cross_attention.0"), as `fovea run --attention` asks for.
inline Value add_attention(Graph &graph, AttentionFields fields, Value v, const std::string &offered = {}) {
  if (!offered.empty()) graph.offer(offered, AttentionWeights{fields});
  return graph.add("a", Attention{std::move(fields), v});
}

} // namespace fovea
