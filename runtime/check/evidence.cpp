#include "check/evidence.h"

#include "check/compare.h"
#include "exec/tensors.h"
#include "format/gguf_writer.h"
#include "ops/registry.h"

#include <algorithm>
#include <cmath>

namespace fovea::check {
namespace {

constexpr const char *kCaseKey = "fovea.verify.case";
constexpr const char *kGraph = "extract"; // as graph/extract.h calls it
constexpr const char *kInput = "in.", *kState = "state.";

/// How values are kept: a state of q8 as the numbers that it stands for.
TensorType kept_type(const TensorType &type) {
  return {type.shape, is_quantized(type.encoding) ? Encoding::F32 : type.encoding};
}

/// A tensor of values that must be of a declared type.
HostTensor read_values(const Model &model, const std::string &name, const TensorType &type) {
  const TensorInfo *info = model.file().find(name);
  if (!info) fail(ErrorCode::InvalidFile, model.path(), ": tensor '", name, "' is missing");
  if (info->type != kept_type(type))
    fail(ErrorCode::InvalidFile, model.path(), ": tensor '", name, "' is ", info->type, ", expected ",
         kept_type(type));
  HostTensor out = read_tensor(model.file(), name);
  out.type = type;
  return out;
}

/// Infinity below zero stands in masks; nothing else may be infinite, or no number.
bool is_defined(const HostTensors &tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const auto &named) {
    const std::vector<float> &values = named.second.f;
    return std::all_of(values.begin(), values.end(),
                       [](float v) { return std::isfinite(v) || v == -INFINITY; });
  });
}

} // namespace

void write_evidence(const std::string &path, const Evidence &evidence, const ModelFile &from) {
  const KernelCase &c = evidence.made;
  GgufWriter writer(path);
  writer.add("general.architecture", std::string("fovea"));
  writer.add(kCaseKey, print_cases(std::span(&c, 1)));
  writer.add_graph(kGraph, c.graph_text);
  for (const auto &[name, type] : c.weights) writer.add_tensor(name, type);
  for (const auto &[name, tensor] : evidence.inputs) writer.add_tensor(kInput + name, tensor.type);
  for (const auto &[name, tensor] : evidence.states) writer.add_tensor(kState + name, kept_type(tensor.type));
  for (const auto &[name, type] : c.weights) {
    const TensorInfo &info = from.require(c.origin.at(name));
    writer.write(from.plane(info));
    if (info.scale_bytes) writer.write(from.scales(info));
  }
  const auto write_values = [&](const HostTensors &tensors) {
    for (const auto &[name, tensor] : tensors) {
      std::vector<std::byte> bytes(kept_type(tensor.type).bytes());
      write_tensor(tensor, kept_type(tensor.type).encoding, bytes);
      writer.write(bytes);
    }
  };
  write_values(evidence.inputs);
  write_values(evidence.states);
  writer.commit();
}

bool is_evidence(const ModelFile &file) { return file.find_meta(kCaseKey) != nullptr; }

Evidence read_evidence(const Model &model) {
  Evidence out;
  try {
    std::vector<KernelCase> cases = parse_cases(model.file().get_string(kCaseKey));
    if (cases.size() != 1) fail(ErrorCode::InvalidArgument, cases.size(), " cases, expected one");
    out.made = std::move(cases[0]);
  } catch (const Error &e) {
    fail(ErrorCode::InvalidFile, model.path(), ": ", kCaseKey, ": ", e.what());
  }
  const Graph &graph = naming(model, [&]() -> const Graph & { return model.graph(kGraph); });
  if (model.graphs().size() != 1 || graph.statements().empty() ||
      out.made.graph_text != model.file().graph_text(kGraph))
    fail(ErrorCode::InvalidFile, model.path(), ": the graph is not that of ", kCaseKey);
  for (const auto &[name, type] : out.made.weights)
    if (const TensorInfo *info = model.file().find(name); !info || info->type != type)
      fail(ErrorCode::InvalidFile, model.path(), ": tensor '", name, "' is ",
           info ? concat(info->type) : "missing", ", expected ", type);
  for (const ValueInfo &v : graph.values()) {
    if (v.kind != ValueKind::Input && v.kind != ValueKind::State) continue;
    const TensorType type{naming(model, [&] { return bind(v, {}); }), v.encoding};
    const bool input = v.kind == ValueKind::Input;
    (input ? out.inputs : out.states)[v.name] = read_values(model, (input ? kInput : kState) + v.name, type);
  }
  for (const auto &[name, value] : out.made.steps)
    if (std::find(graph.steps().begin(), graph.steps().end(), name) == graph.steps().end())
      fail(ErrorCode::InvalidFile, model.path(), ": ", kCaseKey, ": no step is called '", name, "'");
  return out;
}

Made run_on_reference(const Model &model, const Evidence &evidence) {
  Made out;
  out.states = evidence.states;
  const WeightReader weights = [&](const std::string &name) { return read_tensor(model.file(), name); };
  out.outputs = naming(model, [&] {
                  return run_reference(model.graph(kGraph), {}, weights, evidence.inputs, evidence.made.steps,
                                       out.states);
                }).outputs;
  return out;
}

Made run_on_device(const std::shared_ptr<vk::Device> &device, const std::shared_ptr<const Model> &model,
                   const Evidence &evidence, bool as_recorded, const std::atomic<bool> *cancel) {
  SessionOptions options;
  options.gated = false;
  if (as_recorded) options.adjust_caps = [&](DeviceCaps &caps) { adjust_caps(evidence.made, caps); };
  Session session(device, model, DeviceWeights::load(device, model), options);
  Program &program = session.program(kGraph);
  const Plan &plan = program.plan();
  session.fill_scratch(kPoison);
  for (const PlanValue &input : plan.inputs) {
    const HostTensor &values = evidence.inputs.at(input.name);
    write_tensor(values, input.type.encoding, program.input(input.name));
  }
  for (const auto &[name, tensor] : evidence.states) session.write_state(name, tensor);
  for (const auto &[name, value] : evidence.made.steps) program.set_step(name, value);
  RunControl control;
  control.cancel = cancel;
  session.run(program, control);

  Made out;
  for (const Dispatch &d : plan.dispatches)
    if (d.statement + 1 == plan.statement_text.size())
      out.kernels.push_back(kernel_variant(session.caps(), d));
  for (const PlanValue &value : plan.outputs)
    out.outputs[value.name] = host_tensor(value.type, program.output(value.name));
  for (const auto &[name, tensor] : evidence.states) out.states[name] = session.read_state(name);
  if (!guard_holds(session.read_scratch())) out.fault = "memory behind the results was written";
  return out;
}

CaseResult compare(const Made &got, const Made &want, const KernelCase &of) {
  CaseResult result;
  if (!is_defined(want.outputs) || !is_defined(want.states)) {
    result.fault = "what it must be compared with is not finite: so is an input or a weight, or a sum is "
                   "beyond the numbers there are";
    return result;
  }
  result.fault = got.fault;
  const auto part = [](double error, double allowed) { return error > 0 ? error / allowed : 0; };
  const auto look = [&](const std::string &what, const HostTensor &have, const HostTensor &expected) {
    const Comparison found = compare(have, expected, of.terms, kFactor);
    if (part(found.error, found.allowed) >= part(result.error, result.allowed))
      result.error = found.error, result.allowed = found.allowed;
    if (result.fault.empty() && !found.fault.empty()) result.fault = concat(what, found.fault);
  };
  for (const auto &[name, tensor] : want.outputs) look("", got.outputs.at(name), tensor);
  for (const auto &[name, tensor] : want.states)
    look(concat("state '", of.origin.count(name) ? of.origin.at(name) : name, "': "), got.states.at(name),
         tensor);
  result.outcome = result.fault.empty() ? CaseResult::Outcome::Right : CaseResult::Outcome::Wrong;
  return result;
}

} // namespace fovea::check
