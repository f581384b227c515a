#include "tasks/run_graphs.h"

#include "base/pattern.h"
#include "exec/tensors.h"

#include <algorithm>
#include <set>

namespace fovea {
namespace {

constexpr const char *kGraphsKey = "fovea.run.graphs";
constexpr const char *kBatch = "B";             // sequences side by side
constexpr const char *kSizeKey = "fovea.size."; // + symbol: its size where no input says

std::string describe(const ValueInfo &v) {
  std::string dims;
  for (const Dim &d : v.dims)
    dims += concat(dims.empty() ? "" : ", ", d.symbol.empty() ? concat(d.value) : d.symbol);
  return concat(v.name, " ", v.encoding, " [", dims, "]", v.fallback ? concat(" = ", *v.fallback) : "");
}

std::vector<const ValueInfo *> inputs(const Graph &graph) {
  std::vector<const ValueInfo *> out;
  for (const ValueInfo &v : graph.values())
    if (v.kind == ValueKind::Input) out.push_back(&v);
  return out;
}

std::vector<const Graph *> all_graphs(const Model &model, const std::string &name) {
  if (!name.empty()) return {&model.graph(name)};
  std::vector<const Graph *> out;
  const auto names = model.file().find_strings(kGraphsKey);
  if (!names || names->empty()) {
    if (model.graphs().size() != 1)
      fail(ErrorCode::InvalidArgument, model.path(), ": the file does not say which of its graphs to run (",
           kGraphsKey, "); name one");
    return {&model.graphs()[0]};
  }
  for (const std::string_view n : *names) {
    const Graph *graph = &model.graph(n);
    if (std::find(out.begin(), out.end(), graph) != out.end())
      fail(ErrorCode::InvalidFile, model.path(), ": ", kGraphsKey, " names '", n, "' twice");
    out.push_back(graph);
  }
  return out;
}

std::string list(const std::vector<std::string> &items) {
  std::string text;
  for (const std::string &i : items) text += concat(text.empty() ? "" : ", ", i);
  return text.empty() ? "nothing" : text;
}

/// The outputs to compute of a graph: all that it gives anyway, and what is asked of its offers. Empty: only
/// the former.
std::set<std::string> wanted_outputs(const Graph &graph, const RunRequest &request) {
  std::set<std::string> wanted;
  for (const std::string &name : output_names(graph, true))
    for (const std::string &offer : request.offers)
      if (matches_pattern(name, offer)) wanted.insert(name);
  if (!wanted.empty())
    for (const std::string &name : output_names(graph)) wanted.insert(name);
  return wanted;
}

void check_offers(const Model &model, const RunRequest &request, const std::vector<const Graph *> &graphs) {
  std::vector<std::string> offered, given;
  for (const Graph *graph : graphs)
    for (const bool on_request : {true, false})
      for (std::string &name : output_names(*graph, on_request))
        (on_request ? offered : given).push_back(std::move(name));
  for (const std::string &offer : request.offers)
    if (const auto matches = [&](const std::string &name) { return matches_pattern(name, offer); };
        std::none_of(offered.begin(), offered.end(), matches) &&
        std::none_of(given.begin(), given.end(), matches))
      fail(ErrorCode::InvalidArgument, model.path(), ": nothing called '", offer,
           "' is offered; on request the model gives ", list(offered));
}

void check_names(const Model &model, const RunRequest &request, const std::vector<const Graph *> &graphs) {
  std::set<std::string> known, steps;
  for (const Graph *graph : all_graphs(model, request.graph)) {
    for (const ValueInfo *v : inputs(*graph)) known.insert(v->name);
    // An output may be given in place of the graph that computes it.
    if (request.graph.empty())
      for (const std::string &name : output_names(*graph)) known.insert(name);
    steps.insert(graph->steps().begin(), graph->steps().end());
  }
  for (const auto &[name, tensor] : request.inputs)
    if (!known.count(name))
      fail(ErrorCode::InvalidArgument, model.path(), ": no input is called '", name, "'; the model takes ",
           list(inputs_of(model, request.graph)));
  for (const auto &[name, value] : request.steps)
    if (!steps.count(name))
      fail(ErrorCode::InvalidArgument, model.path(), ": no step is called '", name, "'; ",
           steps.empty() ? "the graph has no steps" : "there is " + list({steps.begin(), steps.end()}));
  std::set<std::string> provided;
  for (const auto &[name, tensor] : request.inputs) provided.insert(name);
  for (const Graph *graph : graphs) {
    for (const ValueInfo *v : inputs(*graph))
      if (!provided.count(v->name) && !v->fallback)
        fail(ErrorCode::InvalidArgument, model.path(), ": graph '", graph->name(), "' needs ", describe(*v),
             ", which is not given; the model takes ", list(inputs_of(model, request.graph)));
    for (const std::string &name : output_names(*graph)) provided.insert(name);
  }
}

/// What is there so far: pictures and sound are large, so the request's and the results' own.
using Known = std::map<std::string, const HostTensor *>;

Known known_of(const NamedTensors &tensors) {
  Known known;
  for (const auto &[name, tensor] : tensors) known[name] = &tensor;
  return known;
}

Bindings bindings_of(const Model &model, const Graph &graph, const Known &tensors) {
  Bindings sizes;
  for (const ValueInfo *v : inputs(graph)) {
    const auto given = tensors.find(v->name);
    if (given == tensors.end()) continue;
    try {
      bind_symbols(*v, given->second->type.shape, sizes);
    } catch (const Error &e) {
      fail(e.code(), model.path(), ": graph '", graph.name(), "' takes ", describe(*v), ": ", e.what());
    }
  }
  sizes.emplace(kBatch, 1);
  return sizes;
}

/// What an input holds that is not given.
HostTensor fallback_of(const Graph &graph, const PlanValue &input) {
  const int32_t value = graph.value(graph.find(input.name)).fallback.value_or(0);
  HostTensor out({input.type.shape, input.type.encoding == Encoding::I32 ? Encoding::I32 : Encoding::F32});
  std::fill(out.i.begin(), out.i.end(), value);
  std::fill(out.f.begin(), out.f.end(), float(value));
  return out;
}

/// Ids that a table of the graph has no row for: the device would take the nearest, and say nothing.
void check_ids(const Model &model, const Graph &graph, const std::string &input, const HostTensor &given) {
  for (const Statement &s : graph.statements()) {
    if (std::string_view(s.op.name()) != "embed") continue;
    const std::vector<Value> from = operands(s.op); // tokens, table …
    if (graph.value(from[0]).name != input) continue;
    const WeightInfo *table = model.find_weight(graph.value(from[1]).name);
    const uint64_t n_rows = table ? table->type.shape[0] : 0;
    for (const int32_t id : given.i)
      if (id < 0 || uint64_t(id) >= n_rows)
        fail(ErrorCode::InvalidArgument, model.path(), ": input '", input, "' has ", id, ", expected 0 to ",
             n_rows - 1);
  }
}

/// The given values as what the plan's input stores.
void write_input(const Model &model, const PlanValue &input, const HostTensor &given, Program &program) {
  const bool wants_integers = input.type.encoding == Encoding::I32;
  const bool has_integers = given.type.encoding == Encoding::I32;
  if (wants_integers != has_integers)
    fail(ErrorCode::InvalidArgument, model.path(), ": input '", input.name, "' takes ",
         wants_integers ? "integers (i32)" : "floating-point numbers", ", got ", given.type);
  const uint64_t n = input.type.shape.elements();
  if ((has_integers ? given.i.size() : given.f.size()) != n)
    fail(ErrorCode::InvalidArgument, model.path(), ": input '", input.name, "' takes ", input.type, ", got ",
         given.type);
  write_tensor(given, input.type.encoding, program.input(input.name));
}

} // namespace

std::vector<const Graph *> graphs_to_run(const Model &model, const RunRequest &request) {
  std::vector<const Graph *> all = all_graphs(model, request.graph), out;
  if (!request.graph.empty()) return all;
  for (const Graph *graph : all) {
    const auto names = output_names(*graph);
    const bool given = !names.empty() && std::all_of(names.begin(), names.end(), [&](const std::string &n) {
      return request.inputs.count(n) > 0;
    });
    if (!given) out.push_back(graph);
  }
  return out;
}

std::vector<std::string> inputs_of(const Model &model, const std::string &graph) {
  std::set<std::string> computed, listed;
  std::vector<std::string> out;
  for (const Graph *g : all_graphs(model, graph)) {
    for (const ValueInfo *v : inputs(*g))
      if (!computed.count(v->name) && listed.insert(v->name).second) out.push_back(describe(*v));
    for (const std::string &name : output_names(*g)) computed.insert(name);
  }
  return out;
}

Bindings session_sizes(const Model &model, const RunRequest &request) {
  Bindings given, sizes;
  const Known known = known_of(request.inputs);
  for (const Graph *graph : graphs_to_run(model, request))
    for (const auto &[symbol, size] : bindings_of(model, *graph, known))
      if (const auto [at, added] = given.emplace(symbol, size); !added && at->second == 1) at->second = size;
  sizes[kBatch] = given[kBatch];
  for (const Graph &graph : model.graphs())
    for (const ValueInfo &v : graph.values())
      for (const Dim &d : v.dims)
        if (v.kind == ValueKind::State && !d.symbol.empty()) {
          const auto at = given.find(d.symbol);
          sizes[d.symbol] =
              at != given.end() ? at->second : model.file().find_u32(concat(kSizeKey, d.symbol)).value_or(1);
        }
  return sizes;
}

NamedTensors run_model(Session &session, const RunRequest &request) {
  const Model &model = session.model();
  const auto graphs = graphs_to_run(model, request);
  check_names(model, request, graphs);
  check_offers(model, request, graphs);
  if (!request.keep_state) session.reset();
  Known known = known_of(request.inputs);
  NamedTensors results;
  for (const Graph *graph : graphs) {
    Program &program =
        session.program(graph->name(), bindings_of(model, *graph, known), wanted_outputs(*graph, request));
    for (const PlanValue &input : program.plan().inputs) {
      const auto given = known.find(input.name);
      if (given != known.end()) check_ids(model, *graph, input.name, *given->second);
      write_input(model, input, given != known.end() ? *given->second : fallback_of(*graph, input), program);
    }
    for (const std::string &step : graph->steps())
      if (const auto value = request.steps.find(step); value != request.steps.end())
        program.set_step(step, value->second);
      else
        program.set_step(step, 0);
    if (request.run)
      request.run(graph->name(), program);
    else
      session.run(program, request.control);
    if (request.after_graph) request.after_graph(program);
    for (const PlanValue &output : program.plan().outputs) {
      HostTensor &result = results[output.name];
      result = host_tensor(output.type, program.output(output.name));
      known[output.name] = &result;
    }
  }
  return results;
}

} // namespace fovea
