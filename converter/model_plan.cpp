#include "converter/model_plan.h"

#include "graph/graph.h"
#include "ops/registry.h"

#include <algorithm>
#include <unordered_set>

namespace fovea {
namespace {

Shape without_ones(const Shape &shape) {
  std::vector<uint64_t> dims;
  for (const uint64_t d : shape.dims())
    if (d != 1) dims.push_back(d);
  return Shape(std::span<const uint64_t>(dims));
}

/// A list for people: "a, b, c and 5 more".
struct NameList {
  static constexpr size_t kShown = 8;
  std::string shown;
  size_t count = 0;
  void add(std::string_view item) {
    if (count++ < kShown) shown += concat(shown.empty() ? "" : ", ", item);
  }
};
std::string to_string(const NameList &list) {
  return list.count <= NameList::kShown ? list.shown
                                        : concat(list.shown, " and ", list.count - NameList::kShown, " more");
}

} // namespace

void ModelPlan::add_tensor(std::string name, Shape shape, TensorClass tensor_class, std::string input) {
  tensors.push_back({std::move(name), shape, tensor_class, {{std::move(input), shape}}, {}});
}

void ModelPlan::add_computed(std::string name, Shape shape, TensorClass tensor_class,
                             std::function<std::vector<float>()> values) {
  tensors.push_back(
      {std::move(name), shape, tensor_class, {}, [values = std::move(values)](auto) { return values(); }});
}

std::vector<float> transpose(std::span<const float> values, uint64_t rows, uint64_t columns) {
  if (values.size() != rows * columns)
    fail(ErrorCode::Internal, "transpose: ", values.size(), " values are not ", Shape{rows, columns});
  std::vector<float> out(values.size());
  for (uint64_t r = 0; r < rows; ++r)
    for (uint64_t c = 0; c < columns; ++c) out[c * rows + r] = values[r * columns + c];
  return out;
}

void check_inputs(const ModelPlan &plan, const Source &source) {
  std::unordered_set<std::string_view> used;
  NameList missing, misshaped, unexpected;
  for (const OutputTensor &output : plan.tensors) {
    for (const SourceInput &input : output.inputs) {
      const SourceTensor *found = source.find(input.name);
      if (!used.insert(input.name).second) continue;
      if (!found)
        missing.add(input.name);
      else if (without_ones(found->shape) != without_ones(input.shape))
        misshaped.add(concat(input.name, " ", found->shape, " (expected ", input.shape, ")"));
    }
  }
  for (const SourceTensor &tensor : source.tensors()) {
    const bool known = used.contains(tensor.name) ||
                       std::any_of(plan.ignored.begin(), plan.ignored.end(),
                                   [&](const std::string &p) { return matches_pattern(tensor.name, p); });
    if (!known) unexpected.add(tensor.name);
  }
  if (missing.count + misshaped.count + unexpected.count == 0) return;
  std::string text;
  const auto say = [&](std::string_view what, const NameList &list) {
    if (list.count > 0) text += concat(text.empty() ? "" : "; ", list.count, " ", what, ": ", list);
  };
  say("missing", missing);
  say("of another shape", misshaped);
  say("not expected", unexpected);
  fail(ErrorCode::InvalidFile, source.path(), ": tensors do not fit the configuration (", plan.architecture,
       "): ", text);
}

void check_graphs(const ModelPlan &plan) {
  std::unordered_set<std::string_view> tensors;
  for (const OutputTensor &tensor : plan.tensors) tensors.insert(tensor.name);
  for (const auto &[name, text] : plan.graphs) {
    const Graph graph = parse_graph(text, op_table());
    if (graph.name() != name)
      fail(ErrorCode::InvalidGraph, "graph '", name, "' calls itself '", graph.name(), "'");
    for (const ValueInfo &value : graph.values())
      if (value.kind == ValueKind::Weight && !tensors.contains(value.name))
        fail(ErrorCode::InvalidGraph, "graph '", name, "' uses the tensor '", value.name,
             "', which is not in the file");
  }
}

} // namespace fovea
