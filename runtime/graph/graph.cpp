#include "graph/graph.h"

#include <algorithm>

namespace fovea {
namespace {

// Letters, digits and "_.:-"; starts with a letter or '_'. Long enough for any published tensor name.
void check_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto other = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '-'; };
  if (name.empty() || name.size() > 128 || !letter(name[0]) || name == "_" ||
      !std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || other(c); }))
    fail(ErrorCode::InvalidGraph, "'", name, "' is not a name");
}

struct OperandCollector final : FieldVisitor {
  std::vector<Value> found;
  void operand(const char *, Value &v) override { found.push_back(v); }
  void optional_operand(const char *, Value &v) override {
    if (v) found.push_back(v);
  }
  void field(const char *, uint32_t &, std::optional<uint32_t>) override {}
  void field(const char *, float &, std::optional<float>) override {}
  void field(const char *, bool &, std::optional<bool>) override {}
  void field(const char *, StepName &) override {}
  void choice(const char *, uint32_t &, std::span<const char *const>) override {}
};

} // namespace

std::vector<Value> operands(const Op &op) {
  Op copy = op;
  OperandCollector collector;
  copy.fields(collector);
  return std::move(collector.found);
}

Value Graph::append(ValueInfo info) {
  check_name(info.name);
  const auto id = uint32_t(values_.size());
  if (!by_name_.emplace(info.name, id).second)
    fail(ErrorCode::InvalidGraph, "'", info.name, "' is defined twice");
  values_.push_back(std::move(info));
  return {id};
}

Value Graph::input(const std::string &name, Encoding encoding, std::vector<Dim> dims,
                   std::optional<int32_t> fallback) {
  if (is_quantized(encoding)) fail(ErrorCode::InvalidGraph, "input '", name, "' cannot be ", encoding);
  return append({ValueKind::Input, name, encoding, std::move(dims), fallback});
}

Value Graph::state(const std::string &name, Encoding encoding, std::vector<Dim> dims) {
  if (encoding == Encoding::Q4) fail(ErrorCode::InvalidGraph, "state '", name, "' cannot be ", encoding);
  return append({ValueKind::State, name, encoding, std::move(dims)});
}

StepName Graph::step(const std::string &name) {
  check_name(name);
  if (std::find(steps_.begin(), steps_.end(), name) != steps_.end())
    fail(ErrorCode::InvalidGraph, "step '", name, "' is declared twice");
  if (steps_.size() == kMaxSteps) fail(ErrorCode::InvalidGraph, "more than ", kMaxSteps, " steps");
  steps_.push_back(name);
  return {name};
}

Value Graph::weight(const std::string &name) {
  if (const Value known = find(name)) {
    if (value(known).kind != ValueKind::Weight) fail(ErrorCode::InvalidGraph, "'", name, "' is not a tensor");
    return known;
  }
  return append({ValueKind::Weight, name, Encoding::F32, {}});
}

void Graph::check_operands(const Op &op) const {
  for (const Value v : operands(op))
    if (v.id >= values_.size()) fail(ErrorCode::InvalidGraph, op.name(), ": an operand is missing");
}

Value Graph::add(const std::string &name, Op op) {
  check_operands(op);
  std::string unique = name;
  if (by_name_.count(unique)) {
    uint32_t &n = last_number_.try_emplace(name, 1).first->second;
    do unique = concat(name, ".", ++n);
    while (by_name_.count(unique));
  }
  const Value result = append({ValueKind::Result, unique, Encoding::F32, {}});
  statements_.push_back({std::move(op), result, {}, {}, false, false});
  return result;
}

Value Graph::output(const std::string &name, Op op) {
  check_operands(op);
  const Value result = append({ValueKind::Result, name, Encoding::F32, {}});
  statements_.push_back({std::move(op), result, {}, {}, true, false});
  return result;
}

Value Graph::offer(const std::string &name, Op op) {
  const Value result = output(name, std::move(op));
  statements_.back().is_offered = true;
  return result;
}

void Graph::store(Op op, Value state, StepName at) {
  check_operands(op);
  if (!op.stores()) fail(ErrorCode::InvalidGraph, op.name(), " cannot write into a state");
  if (state.id >= values_.size() || value(state).kind != ValueKind::State)
    fail(ErrorCode::InvalidGraph, op.name(), ": the destination is not a state");
  if (at) step_slot(at.name);
  statements_.push_back({std::move(op), {}, state, std::move(at), false, false});
}

uint32_t Graph::step_slot(const std::string &name) const {
  const auto it = std::find(steps_.begin(), steps_.end(), name);
  if (it == steps_.end()) fail(ErrorCode::InvalidGraph, "'", name, "' is not a declared step");
  return uint32_t(it - steps_.begin());
}

std::vector<std::string> output_names(const Graph &graph, bool offered) {
  std::vector<std::string> out;
  for (const Statement &s : graph.statements())
    if (s.is_output && s.is_offered == offered) out.push_back(graph.value(s.result).name);
  return out;
}

Value Graph::find(const std::string &name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? Value{} : Value{it->second};
}

} // namespace fovea
