// GraphChecker: whether a file's graph is what a task expects: inputs, outputs, steps, shapes. One thread.
// Throws InvalidGraph naming file, graph and what differs.
#pragma once

#include "exec/model.h"

#include <set>

namespace fovea {

class GraphChecker {
public:
  /// `sizes` bind the graph's symbols; `task`: what messages call the caller ("transcribing").
  GraphChecker(const Model &model, const char *graph, Bindings sizes, const char *task);

  void input(const char *name, const TensorType &wanted);
  /// Inputs that may be left out are no matter.
  void no_more_inputs();
  const TensorType &output(const char *name);
  void output(const char *name, const TensorType &wanted);
  /// As output(), whatever dimensions of 1 the shape has: `least` to `most` pairs for each of n_rows
  /// sequences.
  void pairs(const char *name, uint64_t n_rows, uint64_t least, uint64_t most);
  void step(const char *name);
  [[noreturn]] void reject(const std::string &what) const;

private:
  void expect(const char *name, const TensorType &wanted) const;
  const Model &model_;
  const Graph &graph_;
  const char *task_;
  std::vector<TensorType> types_;
  std::set<std::string> inputs_;
};

} // namespace fovea
