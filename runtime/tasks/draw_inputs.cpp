#include "tasks/draw_inputs.h"

#include "base/half.h"

#include <algorithm>
#include <random>

namespace fovea {
namespace {

/// What a symbol usually stands for, in the graphs that the converter writes.
uint64_t usual_size(const std::string &symbol) {
  if (symbol == "B" || symbol == "G") return 1; // sequences side by side
  if (symbol == "H" || symbol == "W") return 64;
  if (symbol == "N") return 16000; // samples: a second
  return 6;
}

/// Larger ones, where a graph does not take the usual: not those of what lies side by side.
constexpr uint64_t kFactors[] = {1, 4, 30};

using KnownTypes = std::map<std::string, TensorType>; // of what is given, or made by an earlier graph

/// KnownTypes of all values of a graph, its symbols bound by what is known and else drawn.
std::vector<TensorType> bind_all(const Model &model, const Graph &graph, const KnownTypes &known) {
  std::string why;
  for (const uint64_t factor : kFactors) {
    Bindings sizes;
    try {
      for (const ValueInfo &v : graph.values())
        if (const auto given = known.find(v.name); v.kind == ValueKind::Input && given != known.end())
          bind_symbols(v, given->second.shape, sizes);
      for (const ValueInfo &v : graph.values())
        for (const Dim &d : v.dims) {
          if (d.symbol.empty() || sizes.contains(d.symbol)) continue;
          const auto said = model.file().find_u32(concat("fovea.size.", d.symbol));
          const uint64_t usual = usual_size(d.symbol);
          sizes[d.symbol] = said ? *said : usual > 1 ? usual * factor : usual;
        }
      return infer_types(graph, sizes, [&](const std::string &name) {
        const WeightInfo *w = model.find_weight(name);
        return w ? &w->type : nullptr;
      });
    } catch (const Error &e) {
      why = e.what();
    }
  }
  std::string all;
  for (const std::string &input : inputs_of(model, graph.name())) all += (all.empty() ? "" : ", ") + input;
  fail(ErrorCode::InvalidArgument, model.path(), ": no sizes were found that graph '", graph.name(),
       "' takes (", why, "); give its inputs: ", all);
}

/// The rows of the table that an input's numbers are ids of; 1 when they are none, so that all are 0.
uint64_t id_limit(const Model &model, const Graph &graph, const std::string &input) {
  uint64_t least = INT32_MAX;
  bool is_id = false;
  for (const Statement &s : graph.statements()) {
    if (std::string_view(s.op.name()) != "embed") continue;
    const std::vector<Value> from = operands(s.op); // tokens, table …
    const WeightInfo *table = model.find_weight(graph.value(from[1]).name);
    if (graph.value(from[0]).name != input || !table) continue;
    least = std::min(least, table->type.shape[0]);
    is_id = true;
  }
  return is_id ? std::max<uint64_t>(least, 1) : 1;
}

HostTensor draw(const TensorType &type, uint64_t limit, std::mt19937 &random) {
  HostTensor out({type.shape, type.encoding == Encoding::I32 ? Encoding::I32 : Encoding::F32});
  std::normal_distribution<float> normal(0, 0.5f);
  for (float &v : out.f) v = normal(random);
  for (int32_t &v : out.i) v = int32_t(random() % limit);
  return out;
}

} // namespace

bool draw_inputs(const Model &model, RunRequest &request) {
  std::mt19937 random(1);
  bool drawn = false;
  KnownTypes known;
  for (const auto &[name, tensor] : request.inputs) known[name] = tensor.type;
  for (const Graph *graph : graphs_to_run(model, request)) {
    const std::vector<TensorType> types = bind_all(model, *graph, known);
    for (uint32_t id = 0; id < types.size(); ++id) {
      const ValueInfo &v = graph->values()[id];
      if (v.kind != ValueKind::Input || v.fallback || known.contains(v.name)) continue;
      request.inputs[v.name] = draw(types[id], id_limit(model, *graph, v.name), random);
      known[v.name] = types[id];
      drawn = true;
    }
    for (const Statement &s : graph->statements())
      if (s.is_output && !s.is_offered) known[graph->value(s.result).name] = types[s.result.id];
  }
  return drawn;
}

} // namespace fovea
