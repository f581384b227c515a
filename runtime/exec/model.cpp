#include "exec/model.h"

#include "ops/registry.h"

namespace fovea {

std::shared_ptr<const Model> Model::open(const std::string &path, const ModelOptions &options) {
  return std::make_shared<Model>(path, options);
}

Model::Model(const std::string &path, const ModelOptions &options) : Model(ModelFile(path), options) {}

Model::Model(ModelFile file, const ModelOptions &options)
    : file_(std::move(file)), verified_(!options.verify) {
  for (const TensorInfo &t : file_.tensors())
    weights_.emplace(std::string(t.name), WeightInfo{t.type, t.offset, t.scale_offset});
  for (const std::string_view name : file_.graph_names()) {
    try {
      Graph graph = parse_graph(file_.graph_text(name), op_table());
      if (graph.name() != name)
        fail(ErrorCode::InvalidGraph, "graph '", graph.name(), "' is stored as '", name, "'");
      for (const ValueInfo &v : graph.values())
        if (v.kind == ValueKind::Weight && !find_weight(v.name))
          fail(ErrorCode::InvalidGraph, "graph '", name, "': '", v.name,
               "' is neither a value nor a tensor of the file");
      graphs_.push_back(std::move(graph));
    } catch (const Error &e) {
      fail(e.code(), this->path(), ": ", e.what());
    }
  }
}

const Graph *Model::find_graph(std::string_view name) const {
  for (const Graph &g : graphs_)
    if (g.name() == name) return &g;
  return nullptr;
}

const Graph &Model::graph(std::string_view name) const {
  if (const Graph *g = find_graph(name)) return *g;
  std::string known;
  for (const Graph &g : graphs_) known += concat(known.empty() ? "" : ", ", g.name());
  fail(ErrorCode::NotFound, path(), ": no graph '", name, "' (it has ", known.empty() ? "none" : known, ")");
}

const WeightInfo *Model::find_weight(const std::string &name) const {
  const auto it = weights_.find(name);
  return it == weights_.end() ? nullptr : &it->second;
}

void Model::verify_once(const std::function<bool()> &keep_going) const {
  const std::lock_guard lock(verify_mutex_);
  if (!verified_) file_.verify(keep_going);
  verified_ = true;
}

} // namespace fovea
