#include "graph/graph.h"

#include <algorithm>

namespace fovea {
namespace {

// Far above any real model, far below overflow: keeps sizes of hostile graphs sane.
constexpr uint64_t kMaxDim = 1ull << 31;
constexpr uint64_t kMaxTensorBytes = 1ull << 40;

class BoundTypes final : public Types {
public:
  BoundTypes(const Graph &graph, const std::vector<TensorType> &types) : graph_(graph), types_(types) {}
  const TensorType &operator[](Value v) const override { return types_[v.id]; }
  std::string name(Value v) const override { return graph_.value(v).name; }
  bool is_state(Value v) const override { return graph_.value(v).kind == ValueKind::State; }

private:
  const Graph &graph_;
  const std::vector<TensorType> &types_;
};

void check_store(const Graph &graph, const Statement &s, const TensorType &result, const TensorType &state) {
  const std::string &name = graph.value(s.state).name;
  if (result.encoding != Encoding::F32 || state.encoding == Encoding::I32)
    fail(ErrorCode::InvalidGraph, "cannot store ", result, " into ", state, " '", name, "'");
  const Shape &from = result.shape, &to = state.shape;
  // [.., T, D] into [C, D], or [B, T, D] into [B, C, D]: rows T of each batch.
  const bool batched = to.rank() == 3;
  const bool fits =
      from.rank() >= 2 && to.rank() >= 2 && from.row() == to.row() && from.dim(-2) <= to.dim(-2) &&
      (batched ? from.rank() == 3 && from[0] == to[0] : to.rank() == 2 && from.rows() == from.dim(-2));
  if (!fits) fail(ErrorCode::InvalidGraph, "cannot store ", from, " into state '", name, "' ", to);
  if (to.row() % 2 != 0) fail(ErrorCode::InvalidGraph, "state '", name, "' has rows of odd length ", to);
}

} // namespace

void Types::require(Value value, const char *operand, Encoding encoding) const {
  if ((*this)[value].encoding != encoding)
    fail(ErrorCode::InvalidGraph, operand, " '", name(value), "' must be ", encoding, ", it is ",
         (*this)[value]);
}

void Types::require(Value value, const char *operand, Encoding encoding, const Shape &shape) const {
  const TensorType wanted{shape, encoding};
  if ((*this)[value] != wanted)
    fail(ErrorCode::InvalidGraph, operand, " '", name(value), "' must be ", wanted, ", it is ",
         (*this)[value]);
}

Shape bind(const ValueInfo &value, const Bindings &bindings) {
  std::vector<uint64_t> dims;
  for (const Dim &d : value.dims) {
    uint64_t size = d.value;
    if (!d.symbol.empty()) {
      const auto it = bindings.find(d.symbol);
      if (it == bindings.end())
        fail(ErrorCode::InvalidGraph, "'", value.name, "': size ", d.symbol, " is not known");
      size = it->second;
    }
    if (size == 0 || size > kMaxDim)
      fail(ErrorCode::InvalidGraph, "'", value.name, "' cannot have a dimension of ", size);
    dims.push_back(size);
  }
  const Shape shape{std::span<const uint64_t>(dims)};
  if (plane_bytes(shape, value.encoding) > kMaxTensorBytes)
    fail(ErrorCode::InvalidGraph, "'", value.name, "' ", shape, " is too large");
  return shape;
}

void bind_symbols(const ValueInfo &value, const Shape &given, Bindings &bindings) {
  std::vector<uint64_t> dims(given.dims().begin(), given.dims().end());
  while (dims.size() > value.dims.size() && dims[0] == 1) dims.erase(dims.begin());
  while (dims.size() < value.dims.size()) dims.insert(dims.begin(), 1);
  bool fits = dims.size() == value.dims.size();
  for (size_t i = 0; fits && i < dims.size(); ++i) {
    const Dim &d = value.dims[i];
    fits =
        d.symbol.empty() ? d.value == dims[i] : bindings.emplace(d.symbol, dims[i]).first->second == dims[i];
  }
  if (fits) return;
  std::string wanted;
  for (const Dim &d : value.dims) {
    const bool bound = !d.symbol.empty() && bindings.count(d.symbol);
    wanted += concat(wanted.empty() ? "" : ", ", d.symbol.empty() ? concat(d.value) : d.symbol,
                     bound ? concat("=", bindings.at(d.symbol)) : "");
  }
  fail(ErrorCode::InvalidArgument, "input '", value.name, "' has shape ", given, ", the graph wants [",
       wanted, "]");
}

TensorType infer_statement(const Graph &graph, const std::vector<TensorType> &types,
                           const Statement &statement) {
  return statement.op.infer(BoundTypes(graph, types));
}

std::vector<TensorType> infer_types(const Graph &graph, const Bindings &bindings,
                                    const WeightTypes &weights) {
  std::vector<TensorType> types(graph.values().size());
  const BoundTypes view(graph, types);
  const auto context = [&](const std::string &where, const Error &e) {
    fail(e.code(), "graph '", graph.name(), "', ", where, ": ", e.what());
  };
  for (size_t i = 0; i < types.size(); ++i) {
    const ValueInfo &v = graph.values()[i];
    if (v.kind == ValueKind::Weight) {
      const TensorType *type = weights(v.name);
      if (!type)
        fail(ErrorCode::InvalidGraph, "graph '", graph.name(), "': '", v.name,
             "' is neither a value nor a tensor of the file");
      types[i] = *type;
    } else if (v.kind != ValueKind::Result) {
      try {
        types[i] = {bind(v, bindings), v.encoding};
      } catch (const Error &e) {
        context(v.kind == ValueKind::Input ? "inputs" : "states", e);
      }
    }
  }
  for (const Statement &s : graph.statements()) {
    try {
      const TensorType result = s.op.infer(view);
      if (std::any_of(result.shape.dims().begin(), result.shape.dims().end(),
                      [](uint64_t d) { return d == 0 || d > kMaxDim; }) ||
          result.bytes() > kMaxTensorBytes)
        fail(ErrorCode::InvalidGraph, "the result ", result, " has an impossible size");
      if (s.state)
        check_store(graph, s, result, types[s.state.id]);
      else
        types[s.result.id] = result;
    } catch (const Error &e) {
      context(s.state ? concat("store into '", graph.value(s.state).name, "'")
                      : concat("'", graph.value(s.result).name, "'"),
              Error(e.code(), concat(s.op.name(), ": ", e.what())));
    }
  }
  return types;
}

} // namespace fovea
