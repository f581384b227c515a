#include "tasks/graph_check.h"

#include <algorithm>

namespace fovea {

GraphChecker::GraphChecker(const Model &model, const char *graph, Bindings sizes, const char *task)
    : model_(model), graph_(model.graph(graph)), task_(task) {
  const auto weights = [&](const std::string &w) -> const TensorType * {
    const WeightInfo *info = model.find_weight(w);
    return info ? &info->type : nullptr;
  };
  try {
    types_ = infer_types(graph_, sizes, weights);
  } catch (const Error &e) {
    fail(e.code(), model.path(), ": ", e.what());
  }
  for (const ValueInfo &v : graph_.values())
    if (v.kind == ValueKind::Input && !v.fallback) inputs_.insert(v.name);
}

void GraphChecker::input(const char *name, const TensorType &wanted) {
  const Value found = graph_.find(name);
  if (!found || graph_.value(found).kind != ValueKind::Input) reject(concat("has no input '", name, "'"));
  inputs_.erase(name);
  expect(name, wanted);
}

void GraphChecker::no_more_inputs() {
  if (!inputs_.empty())
    reject(concat("has an input '", *inputs_.begin(), "' that ", task_, " does not know"));
}

const TensorType &GraphChecker::output(const char *name) {
  for (const Statement &s : graph_.statements())
    if (s.is_output && graph_.value(s.result).name == name) return types_[s.result.id];
  reject(concat("has no output '", name, "'"));
}

void GraphChecker::output(const char *name, const TensorType &wanted) {
  output(name);
  expect(name, wanted);
}

void GraphChecker::pairs(const char *name, uint64_t n_rows, uint64_t least, uint64_t most) {
  const TensorType &type = output(name);
  const uint64_t n = type.shape.elements() / (2 * n_rows);
  if (type.encoding != Encoding::F32 || type.shape.rank() < 2 || type.shape.row() != 2 ||
      type.shape.elements() % (2 * n_rows) != 0 || n < least || n > most)
    reject(concat("gives '", name, "' as ", type, ", expected ", least, " or more pairs for each of ", n_rows,
                  " sequences"));
}

void GraphChecker::step(const char *name) {
  const auto &steps = graph_.steps();
  if (std::find(steps.begin(), steps.end(), name) == steps.end()) reject(concat("has no step '", name, "'"));
}

void GraphChecker::expect(const char *name, const TensorType &wanted) const {
  const TensorType &type = types_[graph_.find(name).id];
  if (type != wanted) reject(concat("has '", name, "' as ", type, ", expected ", wanted));
}

void GraphChecker::reject(const std::string &what) const {
  fail(ErrorCode::InvalidGraph, model_.path(), ": graph '", graph_.name(), "' ", what);
}

} // namespace fovea
