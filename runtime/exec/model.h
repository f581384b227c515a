// Model: a checked flat file with its graphs parsed. Immutable once constructed; any number of threads and
// sessions may share one. Values of weights are read, and compared with the file's checksum, when they are
// first loaded onto a device: opening a file to look at it stays quick. Throws what ModelFile throws, and
// InvalidGraph (naming file, graph and line) for a graph that does not parse or names a tensor the file
// lacks.
#pragma once

#include "format/model_file.h"
#include "graph/plan.h"

#include <map>
#include <memory>
#include <mutex>

namespace fovea {

struct ModelOptions {
  bool verify = true; // compare the file with its checksum before its weights are used
};

class Model {
public:
  static std::shared_ptr<const Model> open(const std::string &path, const ModelOptions &options = {});
  explicit Model(const std::string &path, const ModelOptions &options = {});
  /// Of bytes in memory: to be looked at and planned, for devices import pages of a mapped file.
  explicit Model(ModelFile file, const ModelOptions &options = {});

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
  /// ModelFile::verify() until it has passed once, unless the options say no. Any number of threads: one
  /// reads, the others wait.
  void verify_once(const std::function<bool()> &keep_going = {}) const;

private:
  ModelFile file_;
  std::vector<Graph> graphs_;
  std::map<std::string, WeightInfo> weights_;
  mutable std::mutex verify_mutex_;
  mutable bool verified_;
};

/// Runs `body`; what it says of the model's graphs, or of memory, then begins with the file's name.
template <class Body> decltype(auto) naming(const Model &model, Body &&body) {
  try {
    return body();
  } catch (const Error &e) {
    switch (e.code()) {
    case ErrorCode::InvalidFile:
    case ErrorCode::InvalidGraph:
    case ErrorCode::NotFound:
    case ErrorCode::Unsupported:
    case ErrorCode::OutOfMemory:
      if (!std::string_view(e.what()).starts_with(model.path())) fail(e.code(), model.path(), ": ", e.what());
      throw;
    default: throw;
    }
  }
}

} // namespace fovea
