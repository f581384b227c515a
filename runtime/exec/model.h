// Model: a checked flat file with its graphs parsed. Immutable once constructed; any number of threads and sessions
// may share one. Throws what ModelFile throws, and InvalidGraph (naming file, graph and line) for a graph that does
// not parse or names a tensor the file lacks.
#pragma once

#include "format/model_file.h"
#include "graph/plan.h"

#include <map>
#include <memory>

namespace fovea {

class Model {
public:
  static std::shared_ptr<const Model> open(const std::string &path);
  explicit Model(const std::string &path);

  const ModelFile &file() const { return file_; }
  const std::string &path() const { return file_.path(); }
  /// In file order.
  const std::vector<Graph> &graphs() const { return graphs_; }
  /// Error NotFound; the message lists the graphs there are.
  const Graph &graph(std::string_view name) const;
  /// nullptr when the file has no such graph.
  const Graph *find_graph(std::string_view name) const;
  /// For planning; nullptr when there is no such tensor.
  const WeightInfo *find_weight(const std::string &name) const;

private:
  ModelFile file_;
  std::vector<Graph> graphs_;
  std::map<std::string, WeightInfo> weights_;
};

} // namespace fovea
