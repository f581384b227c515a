// Statements of a graph as a graph of their own, to be looked at by themselves: what they take from elsewhere
// becomes inputs, states and tensors of the same types, or of other sizes. Pure; thread-safe. Throws
// InvalidGraph where a value or a step is missing.
#pragma once

#include "graph/graph.h"

namespace fovea {

struct ExtractOptions {
  /// Another size for a dimension, wherever the same number stands; nothing: as it is.
  std::function<uint64_t(uint64_t)> resize{};
  /// Makes a copy of an f32 input, so that it lies where results lie and not with what the host writes;
  /// nothing: inputs are used as they are.
  std::function<Op(Value)> copy{};
};

struct Extract {
  Graph graph; // named "extract"; the result is "y", unless it goes into a state
  /// Its tensors in the order of the operands: a matrix, then its bias.
  std::vector<std::pair<std::string, TensorType>> weights;
  std::map<std::string, std::string> origin; // by name here: the name there
};

/// `statements`: indices, ascending; the last one's result is wanted. `types`: of all values of `graph`.
Extract extract(const Graph &graph, const std::vector<TensorType> &types,
                std::span<const uint32_t> statements, const ExtractOptions &options = {});

} // namespace fovea
